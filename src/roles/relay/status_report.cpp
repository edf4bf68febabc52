#include "roles/relay/status_report.h"

#include <cmath>
#include <cstdio>
#include <string_view>

#include "cli/table.h"
#include "roles/relay/usage.h"
#include "util/clock.h"
#include "util/size.h"
#include "util/text.h"
#include "util/version.h"

namespace mig::relay {
namespace {

json::object Amount(std::size_t messages, std::size_t bytes) {
  return {{"messages", messages}, {"bytes", bytes}};
}

json::array QueueList(const std::vector<mqtt::QueueFigures>& queues) {
  json::array list;
  for (const mqtt::QueueFigures& queue : queues) {
    list.push_back(json::object{{"name", queue.name},
                                {"role", queue.role},
                                {"connected", queue.connected},
                                {"messages", queue.messages},
                                {"bytes", queue.bytes}});
  }
  return list;
}

json::array LoadList(const mqtt::LoadAverages& loads) {
  const auto hundredths = [](double value) { return std::round(value * 100) / 100; };
  json::array list;
  for (const mqtt::LoadAverages::Load& load : loads.loads()) {
    list.push_back(json::object{{"of", load.name},
                                {"1", hundredths(load.a_minute[0])},
                                {"5", hundredths(load.a_minute[1])},
                                {"15", hundredths(load.a_minute[2])}});
  }
  return list;
}

// Reading a report: what is missing or of another kind is an empty cell, never an error.
const json::value* Find(const json::object& object, std::string_view path) {
  const json::object* at = &object;
  for (;;) {
    const std::size_t dot = path.find('.');
    const json::value* value = at->if_contains(path.substr(0, dot));
    if (value == nullptr || dot == std::string_view::npos) return value;
    at = value->if_object();
    if (at == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

std::string Cell(const json::object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  if (value == nullptr) return "?";
  return EscapeForTerminal(value->is_string() ? std::string(value->get_string())
                                              : json::Write(*value));
}

double Number(const json::object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  if (value == nullptr || !value->is_number()) return 0;
  return value->to_number<double>();
}

bool Is(const json::object& object, std::string_view path) {
  const json::value* value = Find(object, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string SizeCell(const json::object& object, std::string_view path) {
  const double bytes = Number(object, path);
  return bytes < 0 || bytes > 1e18 ? "?" : FormatSize(static_cast<std::uint64_t>(bytes));
}

const json::array& List(const json::object& object, std::string_view name) {
  static const json::array kNone;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

std::string Decimal(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// The rows of a list of objects as a table under a heading; nothing if there are none.
template <typename Row>
std::string Section(const json::object& report, std::string_view name, std::string heading,
                    std::vector<cli::Column> columns, Row row) {
  cli::Table table(std::move(columns));
  bool any = false;
  for (const json::value& value : List(report, name)) {
    if (const json::object* item = value.if_object()) any = row(*item, table) || any;
  }
  return any ? "\n" + heading + "\n" + table.Render(0) : "";
}

std::string DiskLine(const json::object& report) {
  if (!Is(report, "disk.writable")) {
    return "CANNOT BE WRITTEN: publishers are refused; is the disk full?";
  }
  const double commits = Number(report, "disk.commits");
  std::string line = "writable, " + Cell(report, "disk.uncommitted") + " operations under way";
  if (commits > 0) {
    line += ", a commit takes " + Decimal(1000 * Number(report, "disk.commit_seconds") / commits) +
            " ms on average";
  }
  return line;
}

}  // namespace

json::object StatusReport(const RelayFacts& facts, const MqttServerFigures& figures,
                          const std::vector<mqtt::QueueFigures>& queues,
                          const MqttServerOptions& options) {
  const mqtt::BrokerFigures& broker = figures.broker;
  const mqtt::BrokerCounters& counters = broker.counters;
  json::object report;
  report["version"] = Version();
  report["pid"] = facts.pid;
  report["port"] = facts.port;
  if (facts.metrics_port != 0) report["metrics_port"] = facts.metrics_port;
  report["store"] = facts.store;
  report["uptime_seconds"] =
      std::chrono::duration_cast<std::chrono::seconds>(broker.uptime).count();
  report["open"] = !options.tls.has_value();
  report["connections"] = figures.connections;
  report["without_connect"] = figures.without_connect;
  report["clients"] = broker.clients_connected;
  report["clients_max"] = broker.clients_maximum;
  report["sessions"] = broker.sessions;
  report["subscriptions"] = broker.subscriptions;
  report["retained"] = Amount(broker.retained_messages, broker.retained_bytes);
  report["queued"] = Amount(broker.queued_messages, broker.queued_bytes);
  report["queues"] = QueueList(queues);
  report["totals"] = json::object{{"published", counters.published},
                                  {"delivered", counters.delivered},
                                  {"dropped", counters.Dropped()},
                                  {"slowed_down", counters.slowed_down},
                                  {"bytes_received", counters.bytes_received},
                                  {"bytes_sent", counters.bytes_sent}};
  report["a_minute"] = LoadList(figures.loads);
  json::array refused;
  for (const auto& [reason, count] : figures.refusals) {
    refused.push_back(json::object{{"reason", reason}, {"count", count}});
  }
  report["refused"] = std::move(refused);
  json::array limits;
  for (const Usage& usage : Usages(figures, options)) {
    limits.push_back(json::object{{"limit", usage.limit},
                                  {"used", usage.used},
                                  {"most", usage.most},
                                  {"near_full", usage.NearFull()}});
  }
  report["limits"] = std::move(limits);
  report["disk"] = json::object{{"writable", broker.store_writable},
                                {"uncommitted", broker.uncommitted},
                                {"batches", figures.commits.batches()},
                                {"operations", figures.commits.operations()},
                                {"commit_seconds", figures.commits.seconds().sum()},
                                {"commits", figures.commits.seconds().count()}};
  return report;
}

std::string FormatStatus(const json::object& report) {
  const double uptime = Number(report, "uptime_seconds");
  const bool sane = uptime >= 0 && uptime < 1e12;
  std::string text =
      "relay        mig " + Cell(report, "version") + ", pid " + Cell(report, "pid") + ", port " +
      Cell(report, "port") + (Is(report, "open") ? ", open" : "") + ", up " +
      (sane ? FormatDuration(std::chrono::seconds(static_cast<std::int64_t>(uptime))) : "?") + "\n";
  text += "store        " + Cell(report, "store") + ": " + DiskLine(report) + "\n";
  text += "connections  " + Cell(report, "connections") + ", " + Cell(report, "clients") +
          " clients (at most " + Cell(report, "clients_max") + " at once)\n";
  text += "sessions     " + Cell(report, "sessions") + " with " + Cell(report, "subscriptions") +
          " subscriptions\n";
  text += "retained     " + Cell(report, "retained.messages") + " messages, " +
          SizeCell(report, "retained.bytes") + "\n";
  text += "waiting      " + Cell(report, "queued.messages") + " messages, " +
          SizeCell(report, "queued.bytes") + "\n";
  text += "since start  " + Cell(report, "totals.published") + " messages in, " +
          Cell(report, "totals.delivered") + " out, " + Cell(report, "totals.dropped") +
          " dropped; " + SizeCell(report, "totals.bytes_received") + " in, " +
          SizeCell(report, "totals.bytes_sent") + " out\n";

  text += Section(report, "limits", "Near a limit:", {{"LIMIT"}, {"USED", true}, {"OF", true}},
                  [](const json::object& limit, cli::Table& table) {
                    if (!Is(limit, "near_full")) return false;
                    table.Add({Cell(limit, "limit"), Cell(limit, "used"), Cell(limit, "most")});
                    return true;
                  });
  text += Section(report, "queues", "Largest queues:",
                  {{"CLIENT OR GROUP"}, {"ROLE"}, {"STATE"}, {"MESSAGES", true}, {"BYTES", true}},
                  [](const json::object& queue, cli::Table& table) {
                    table.Add({Cell(queue, "name"), Cell(queue, "role"),
                               Is(queue, "connected") ? "connected" : "away",
                               Cell(queue, "messages"), Cell(queue, "bytes")});
                    return true;
                  });
  text += Section(report, "refused",
                  "Refused or cut off, since the start:", {{"REASON"}, {"COUNT", true}},
                  [](const json::object& refusal, cli::Table& table) {
                    table.Add({Cell(refusal, "reason"), Cell(refusal, "count")});
                    return true;
                  });
  text += Section(report, "a_minute", "A minute, on average over the last 1, 5 and 15:",
                  {{"OF"}, {"1", true}, {"5", true}, {"15", true}},
                  [](const json::object& load, cli::Table& table) {
                    if (Number(load, "1") + Number(load, "5") + Number(load, "15") == 0) {
                      return false;
                    }
                    table.Add({Cell(load, "of"), Decimal(Number(load, "1")),
                               Decimal(Number(load, "5")), Decimal(Number(load, "15"))});
                    return true;
                  });
  return text;
}

}  // namespace mig::relay
