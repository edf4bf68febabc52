#include "net/metrics_text.h"

#include <cmath>
#include <cstdio>

namespace mig {
namespace {

// As short as it can be without losing anything: counters are whole numbers.
std::string Number(double value) {
  char text[40];
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    std::snprintf(text, sizeof text, "%.0f", value);
  } else {
    std::snprintf(text, sizeof text, "%.9g", value);
  }
  return text;
}

void AppendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

}  // namespace

void MetricsText::Head(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ");
  AppendEscaped(text_, help, false);
  text_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::Line(std::string_view suffix, Labels labels, double value) {
  text_.append(name_).append(suffix);
  char before = '{';
  for (const Label& label : labels) {
    text_ += before;
    text_.append(label.name).append("=\"");
    AppendEscaped(text_, label.value, true);
    text_ += '"';
    before = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_.append(" ").append(Number(value)).append("\n");
}

void MetricsText::Begin(std::string_view name, Kind kind, std::string_view help) {
  Head(name, kind == Kind::kCounter ? "counter" : "gauge", help);
}

void MetricsText::Sample(Labels labels, double value) { Line("", labels, value); }

void MetricsText::Counter(std::string_view name, std::string_view help, std::uint64_t value) {
  Begin(name, Kind::kCounter, help);
  Sample({}, static_cast<double>(value));
}

void MetricsText::Gauge(std::string_view name, std::string_view help, double value) {
  Begin(name, Kind::kGauge, help);
  Sample({}, value);
}

void MetricsText::Histogram(std::string_view name, std::string_view help,
                            const mig::Histogram& histogram) {
  Head(name, "histogram", help);
  std::uint64_t up_to = 0;  // the format's ranges include the ones below
  for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
    up_to += histogram.counts()[i];
    const std::string bound =
        i < histogram.bounds().size() ? Number(histogram.bounds()[i]) : "+Inf";
    Line("_bucket", {{"le", bound}}, static_cast<double>(up_to));
  }
  Line("_sum", {}, histogram.sum());
  Line("_count", {}, static_cast<double>(histogram.count()));
}

}  // namespace mig
