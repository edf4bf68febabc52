// Prometheus' text format for metrics, version 0.0.4: what a GET of /metrics answers. Pure.
//   MetricsText text;
//   text.Counter("mig_relay_published_messages_total", "Messages accepted.", 17);
//   text.Begin("mig_relay_refused_total", MetricsText::Kind::kCounter, "Refusals by reason.");
//   for (…) text.Sample({{"reason", reason}}, count);
//   reply.body = std::move(text).Take();
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "util/histogram.h"

namespace mig {

class MetricsText {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  enum class Kind { kCounter, kGauge };
  struct Label {
    std::string_view name;
    std::string_view value;  // any UTF-8
  };
  using Labels = std::initializer_list<Label>;

  // A metric with one sample. Names of metrics and labels are literals of the format's alphabet.
  void Counter(std::string_view name, std::string_view help, std::uint64_t value);
  void Gauge(std::string_view name, std::string_view help, double value);
  void Histogram(std::string_view name, std::string_view help, const mig::Histogram& histogram);

  // A metric with several samples, which follow.
  void Begin(std::string_view name, Kind kind, std::string_view help);
  void Sample(Labels labels, double value);

  std::string Take() && { return std::move(text_); }

 private:
  void Head(std::string_view name, std::string_view type, std::string_view help);
  void Line(std::string_view suffix, Labels labels, double value);

  std::string text_;
  std::string name_;
};

}  // namespace mig
