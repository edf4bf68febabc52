// What a relay tells of itself, as far as it is a matter of text: metrics and status.
#include <catch2/catch.hpp>

#include "roles/relay/relay_limits.h"
#include "roles/relay/relay_metrics.h"
#include "roles/relay/status_report.h"
#include "roles/relay/usage.h"
#include "test/net/metrics_parser.h"

namespace mig::relay {
namespace {

MqttServerFigures SomeFigures() {
  MqttServerFigures figures;
  figures.broker.sessions = 80;
  figures.broker.counters.published = 7;
  figures.broker.counters.dropped_slow = 3;
  figures.broker.uptime = std::chrono::minutes(90);
  figures.connections = 5;
  figures.refusals = {{"not authorized", 2}, {"too fast", 9}};
  figures.commits.Asked(1, 10, UtcTime(std::chrono::seconds(1)));
  figures.commits.Asked(2, 20, UtcTime(std::chrono::seconds(1)));
  figures.commits.Committed(2, UtcTime(std::chrono::milliseconds(1004)));
  return figures;
}

MqttServerOptions SomeOptions() {
  MqttServerOptions options;
  options.limits.sessions = 100;
  return options;
}

TEST_CASE("relay metrics: they hold to the format, and have what happened", "[relay]") {
  auto metrics = ParseMetrics(WriteMetrics(SomeFigures(), SomeOptions()));
  const auto value = [&metrics](const std::string& name, const std::string& labels = "") {
    return metrics.at(name).samples.at(name + labels);
  };
  for (const auto& [name, metric] : metrics) {
    INFO(name);
    CHECK(name.starts_with("mig_relay_"));
    CHECK(metric.help.ends_with('.'));
  }
  CHECK(value("mig_relay_uptime_seconds") == 5400);
  CHECK(value("mig_relay_messages_published_total") == 7);
  CHECK(value("mig_relay_messages_dropped_total", "{reason=\"slow reader\"}") == 3);
  CHECK(value("mig_relay_refused_total", "{reason=\"too fast\"}") == 9);
  CHECK(value("mig_relay_limit_used", "{limit=\"sessions\"}") == 80);
  CHECK(value("mig_relay_limit", "{limit=\"sessions\"}") == 100);
  CHECK(value("mig_relay_store_writable") == 1);
  CHECK(value("mig_relay_store_operations_total") == 30);
  const auto& commits = metrics.at("mig_relay_commit_seconds").samples;
  CHECK(commits.at("mig_relay_commit_seconds_count") == 2);
  CHECK(commits.at("mig_relay_commit_seconds_bucket{le=\"0.0025\"}") == 0);
  CHECK(commits.at("mig_relay_commit_seconds_bucket{le=\"0.005\"}") == 2);
}

TEST_CASE("relay usage: it is of bounds that can be configured, and warns from four fifths",
          "[relay]") {
  for (const Usage& usage : Usages(SomeFigures(), SomeOptions())) {
    INFO(usage.limit);
    CHECK(std::ranges::count(Limits(), usage.limit, &Limit::key) == 1);
    CHECK(usage.NearFull() == (usage.limit == "sessions"));
  }
  CHECK_FALSE(Usage{"sessions", 79, 100}.NearFull());
  CHECK(Usage{"sessions", 1, 1}.NearFull());
  CHECK_FALSE(Usage{"sessions", 0, 1}.NearFull());
}

TEST_CASE("relay status: a person reads what matters first, and what is full", "[relay]") {
  std::vector<mqtt::QueueFigures> queues(1);
  queues[0] = {"evil\x1b[2Jname", "agent", false, 12, 3456};
  auto figures = SomeFigures();
  const RelayFacts facts{42, 8883, 9883, "/var/lib/mig/relay.db"};
  const auto report = StatusReport(facts, figures, queues, SomeOptions());
  const std::string text = FormatStatus(report);
  INFO(text);
  for (const char* part :
       {"pid 42", "port 8883", "up 1h30m", "/var/lib/mig/relay.db: writable", "4.0 ms",
        "Near a limit:", "sessions", "12", "3456", "away", "too fast", "9"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("A minute") == std::string::npos);  // nothing was sampled
  figures.broker.store_writable = false;
  CHECK(FormatStatus(StatusReport(facts, figures, {}, SomeOptions())).find("CANNOT BE WRITTEN") !=
        std::string::npos);
}

TEST_CASE("relay status: what another version leaves out or adds is no obstacle", "[relay]") {
  const auto report = json::ParseObject(
      R"({"version":"9","pid":"x","uptime_seconds":-5,"queues":[1,{"name":7}],"limits":{},
          "disk":[],"new":{"a":1},"retained":{"bytes":1e300}})");
  REQUIRE(report);
  CHECK(FormatStatus(*report).starts_with("relay        mig 9, pid x, port ?"));
  CHECK_FALSE(FormatStatus({}).empty());
}

}  // namespace
}  // namespace mig::relay
