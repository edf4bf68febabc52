#include "net/metrics_text.h"

#include "metrics_parser.h"

namespace mig {
namespace {

TEST_CASE("metrics: each has its help and its type before its samples", "[net]") {
  MetricsText text;
  text.Counter("a_total", "How many.", 12'345'678'901'234);
  text.Gauge("b", "How much.", 0.25);
  text.Begin("c_total", MetricsText::Kind::kCounter, "By kind.");
  text.Sample({{"kind", "x"}, {"of", "y"}}, 1);
  text.Sample({{"kind", "z"}, {"of", "y"}}, 2);
  const std::string written = std::move(text).Take();
  CHECK(written ==
        "# HELP a_total How many.\n# TYPE a_total counter\na_total 12345678901234\n"
        "# HELP b How much.\n# TYPE b gauge\nb 0.25\n"
        "# HELP c_total By kind.\n# TYPE c_total counter\n"
        "c_total{kind=\"x\",of=\"y\"} 1\nc_total{kind=\"z\",of=\"y\"} 2\n");
  CHECK(ParseMetrics(written).size() == 3);
}

TEST_CASE("metrics: a histogram's ranges include the ones below", "[net]") {
  Histogram histogram({0.1, 1});
  for (const double value : {0.05, 0.1, 0.5, 7.0}) histogram.Observe(value);
  MetricsText text;
  text.Histogram("seconds", "How long.", histogram);
  const auto metrics = ParseMetrics(std::move(text).Take());
  const auto& samples = metrics.at("seconds").samples;
  CHECK(samples.at("seconds_bucket{le=\"0.1\"}") == 2);
  CHECK(samples.at("seconds_bucket{le=\"1\"}") == 3);
  CHECK(samples.at("seconds_bucket{le=\"+Inf\"}") == 4);
  CHECK(samples.at("seconds_count") == 4);
  CHECK(samples.at("seconds_sum") == Approx(7.65));
}

TEST_CASE("metrics: what a label says cannot end its line or its quotes", "[net]") {
  MetricsText text;
  text.Begin("a", MetricsText::Kind::kGauge, "One\nline, and a \\.");
  text.Sample({{"b", "x\"} 7\nc{d=\"\\"}}, 1);
  const auto metrics = ParseMetrics(std::move(text).Take());
  REQUIRE(metrics.size() == 1);
  CHECK(metrics.at("a").help == "One\\nline, and a \\\\.");
  CHECK(metrics.at("a").samples.count("a{b=\"x\\\"} 7\\nc{d=\\\"\\\\\"}") == 1);
}

}  // namespace
}  // namespace mig
