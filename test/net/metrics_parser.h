// Reads Prometheus' text format 0.0.4 as strictly as its description says, for tests of what writes
// it: https://prometheus.io/docs/instrumenting/exposition_formats/.
#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "util/text.h"

namespace mig {

struct Metric {
  std::string type;
  std::string help;
  std::map<std::string, double> samples;  // by all that stands before the value
};

inline bool IsMetricName(std::string_view name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") ==
             std::string_view::npos;
}

// `{name="value",…}` with `\\`, `\"` and `\n` as its only escapes; nothing after it.
inline void CheckLabels(std::string_view labels) {
  REQUIRE(labels.starts_with('{'));
  REQUIRE(labels.ends_with('}'));
  std::set<std::string> names;
  std::size_t at = 1;
  while (true) {
    const std::size_t equals = labels.find('=', at);
    REQUIRE(equals != std::string_view::npos);
    const std::string name(labels.substr(at, equals - at));
    CHECK(IsMetricName(name));
    CHECK(name.find(':') == std::string::npos);
    CHECK(names.insert(name).second);
    REQUIRE(labels[equals + 1] == '"');
    for (at = equals + 2; labels[at] != '"'; ++at) {
      REQUIRE(at + 2 < labels.size());
      CHECK(labels[at] != '\n');
      if (labels[at] == '\\') {
        ++at;
        CHECK((labels[at] == '\\' || labels[at] == '"' || labels[at] == 'n'));
      }
    }
    ++at;
    if (labels[at] == '}') break;
    REQUIRE(labels[at] == ',');
    ++at;
  }
  CHECK(at + 1 == labels.size());
}

// By name. Each metric stands in one block: HELP, TYPE, samples.
inline std::map<std::string, Metric> ParseMetrics(const std::string& text) {
  std::map<std::string, Metric> metrics;
  REQUIRE(text.ends_with('\n'));
  std::string current;
  for (const std::string_view line :
       Split(std::string_view(text).substr(0, text.size() - 1), '\n')) {
    INFO(line);
    if (line.starts_with("# HELP ")) {
      const std::size_t end = line.find(' ', 7);
      REQUIRE(end != std::string_view::npos);
      current = line.substr(7, end - 7);
      CHECK(IsMetricName(current));
      REQUIRE_FALSE(metrics.contains(current));
      metrics[current].help = line.substr(end + 1);
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      const std::size_t end = line.find(' ', 7);
      REQUIRE(line.substr(7, end - 7) == current);
      Metric& metric = metrics.at(current);
      CHECK(metric.type.empty());
      CHECK(metric.samples.empty());
      metric.type = line.substr(end + 1);
      CHECK((metric.type == "counter" || metric.type == "gauge" || metric.type == "histogram"));
      CHECK((metric.type != "counter" || current.ends_with("_total")));
      continue;
    }
    REQUIRE_FALSE(line.starts_with('#'));
    const std::size_t space = line.rfind(' ');
    REQUIRE(space != std::string_view::npos);
    const std::string name(line.substr(0, space));
    const std::size_t brace = name.find('{');
    if (brace != std::string::npos) CheckLabels(std::string_view(name).substr(brace));
    Metric& metric = metrics.at(current);
    const std::string plain = name.substr(0, brace);
    if (metric.type == "histogram") {
      CHECK((plain == current + "_bucket" || plain == current + "_sum" ||
             plain == current + "_count"));
    } else {
      CHECK(plain == current);
    }
    std::size_t used = 0;
    const std::string number(line.substr(space + 1));
    const double value = std::stod(number, &used);
    CHECK(used == number.size());
    CHECK(metric.samples.emplace(name, value).second);
  }
  for (const auto& [name, metric] : metrics) {
    INFO(name);
    CHECK_FALSE(metric.type.empty());
    if (metric.type != "histogram") continue;
    CHECK(metric.samples.at(name + "_bucket{le=\"+Inf\"}") == metric.samples.at(name + "_count"));
  }
  return metrics;
}

}  // namespace mig
