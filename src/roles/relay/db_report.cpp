#include "roles/relay/db_report.h"

#include "cli/table.h"
#include "util/clock.h"
#include "util/size.h"
#include "util/text.h"

namespace mig::relay {
namespace {

json::array QueueList(const std::vector<store::RelayQueueSize>& queues) {
  json::array list;
  for (const store::RelayQueueSize& queue : queues) {
    list.push_back(
        json::object{{"name", queue.name}, {"messages", queue.messages}, {"bytes", queue.bytes}});
  }
  return list;
}

std::string QueueTable(const std::string& title, const std::vector<store::RelayQueueSize>& queues,
                       std::size_t width) {
  if (queues.empty()) return {};
  cli::Table table({{title, false, true}, {"messages", true}, {"size", true}});
  for (const store::RelayQueueSize& queue : queues) {
    table.Add({queue.name, std::to_string(queue.messages), FormatSize(queue.bytes)});
  }
  return "\n" + table.Render(width);
}

}  // namespace

json::object CheckReport(const std::vector<store::RelayFinding>& findings) {
  json::array list;
  for (const store::RelayFinding& finding : findings) {
    json::object each{{"what", finding.what}};
    if (finding.count > 0) each["count"] = finding.count;
    list.push_back(std::move(each));
  }
  return {{"sound", findings.empty()}, {"findings", std::move(list)}};
}

std::string FormatCheck(const std::vector<store::RelayFinding>& findings) {
  if (findings.empty()) return "sound\n";
  std::string text;
  for (const store::RelayFinding& finding : findings) {
    text += finding.count == 0 ? "damage: " + EscapeForTerminal(finding.what) + "\n"
                               : std::to_string(finding.count) + " " + finding.what + "\n";
  }
  return text;
}

json::object StatsReport(const store::RelayDbFigures& f) {
  json::object report{
      {"sessions", f.sessions},
      {"away", f.away},
      {"subscriptions", f.subscriptions},
      {"groups", f.groups},
      {"messages", f.messages},
      {"queued", json::object{{"messages", f.queued}, {"bytes", f.queued_bytes}}},
      {"retained", json::object{{"messages", f.retained}, {"bytes", f.retained_bytes}}},
      {"exchanges", f.exchanges},
      {"dropped_queues", f.dropped},
      {"longest", QueueList(f.longest)},
      {"largest", QueueList(f.largest)},
      {"file", json::object{{"bytes", f.file_bytes}, {"free", f.free_bytes}, {"log", f.log_bytes}}},
  };
  report["oldest"] = f.oldest ? json::value(FormatRfc3339(*f.oldest)) : json::value(nullptr);
  return report;
}

std::string FormatStats(const store::RelayDbFigures& f, UtcTime now, std::size_t width) {
  const auto count = [](std::uint64_t number) { return std::to_string(number); };
  std::string text = "sessions       " + count(f.sessions) + ", " + count(f.away) + " away; " +
                     count(f.subscriptions) + " subscriptions, " + count(f.groups) + " groups\n";
  text += "queued         " + count(f.queued) + " (" + FormatSize(f.queued_bytes) + ") of " +
          count(f.messages) + " messages";
  if (f.oldest) {
    text += ", the oldest from " + FormatRfc3339(*f.oldest) + ", " +
            FormatDuration(std::max(now - *f.oldest, UtcTime::duration{0})) + " ago";
  }
  text += "\nretained       " + count(f.retained) + " (" + FormatSize(f.retained_bytes) + ")\n";
  text += "QoS 2          " + count(f.exchanges) + " exchanges under way\n";
  text += "file           " + FormatSize(f.file_bytes) + ", of which " + FormatSize(f.free_bytes) +
          " free; log " + FormatSize(f.log_bytes) + "\n";
  if (f.dropped > 0) {
    text += "ended          " + count(f.dropped) + " sessions whose messages are being deleted\n";
  }
  return text + QueueTable("most messages", f.longest, width) +
         QueueTable("most bytes", f.largest, width);
}

}  // namespace mig::relay
