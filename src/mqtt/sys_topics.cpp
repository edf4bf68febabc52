#include "mqtt/sys_topics.h"

#include <cmath>
#include <cstdio>

#include "mqtt/topic.h"
#include "util/version.h"

namespace mig::mqtt {
namespace {

constexpr std::string_view kRoot = "$SYS/broker/";

struct Topic {
  std::string_view name;  // behind $SYS/broker/
  std::string (*value)(const BrokerFigures&);
};

template <auto kMember>
std::string Gauge(const BrokerFigures& figures) {
  return std::to_string(figures.*kMember);
}

template <auto kMember>
std::string Counter(const BrokerFigures& figures) {
  return std::to_string(figures.counters.*kMember);
}

std::string Away(const BrokerFigures& figures) {
  return std::to_string(figures.sessions - figures.clients_connected);
}

std::string Dropped(const BrokerFigures& figures) {
  return std::to_string(figures.counters.Dropped());
}

std::string Uptime(const BrokerFigures& figures) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(figures.uptime).count()) +
         " seconds";
}

std::string BrokerVersion(const BrokerFigures&) {
  return "mig version " + std::string(mig::Version());
}

using F = BrokerFigures;
using C = BrokerCounters;

// mosquitto(8), section "Broker status". `active`, `inactive` and `messages/stored` are its old
// names for what stands beside them.
constexpr Topic kTopics[] = {
    {"version", BrokerVersion},
    {"uptime", Uptime},
    {"clients/connected", Gauge<&F::clients_connected>},
    {"clients/active", Gauge<&F::clients_connected>},
    {"clients/disconnected", Away},
    {"clients/inactive", Away},
    {"clients/expired", Counter<&C::sessions_expired>},
    {"clients/maximum", Gauge<&F::clients_maximum>},
    {"clients/total", Gauge<&F::sessions>},
    {"messages/received", Counter<&C::packets_received>},
    {"messages/sent", Counter<&C::packets_sent>},
    {"messages/stored", Gauge<&F::queued_messages>},
    {"store/messages/count", Gauge<&F::queued_messages>},
    {"store/messages/bytes", Gauge<&F::queued_bytes>},
    {"publish/messages/received", Counter<&C::published>},
    {"publish/messages/sent", Counter<&C::delivered>},
    {"publish/messages/dropped", Dropped},
    {"publish/bytes/received", Counter<&C::published_bytes>},
    {"publish/bytes/sent", Counter<&C::delivered_bytes>},
    {"bytes/received", Counter<&C::bytes_received>},
    {"bytes/sent", Counter<&C::bytes_sent>},
    {"subscriptions/count", Gauge<&F::subscriptions>},
    {"shared_subscriptions/count", Gauge<&F::shared_subscriptions>},
    {"retained messages/count", Gauge<&F::retained_messages>},
};

struct Kind {
  std::string_view name;
  std::uint64_t (*count)(const BrokerCounters&);
};

template <auto kMember>
std::uint64_t Count(const BrokerCounters& counters) {
  return counters.*kMember;
}

constexpr Kind kKinds[] = {
    {"messages/received", Count<&C::packets_received>},
    {"messages/sent", Count<&C::packets_sent>},
    {"publish/received", Count<&C::published>},
    {"publish/sent", Count<&C::delivered>},
    {"publish/dropped", [](const BrokerCounters& counters) { return counters.Dropped(); }},
    {"bytes/received", Count<&C::bytes_received>},
    {"bytes/sent", Count<&C::bytes_sent>},
    {"connections", Count<&C::connected>},
    {"sockets", Count<&C::opened>},
};
static_assert(std::size(kKinds) == LoadAverages::kKinds);

struct Span {
  std::string_view name;
  double minutes;
};
constexpr Span kSpans[] = {{"1min", 1}, {"5min", 5}, {"15min", 15}};

std::string LoadTopic(std::string_view kind, std::string_view span) {
  return std::string(kRoot).append("load/").append(kind).append("/").append(span);
}

}  // namespace

bool IsSysTopic(std::string_view topic) { return topic == "$SYS" || topic.starts_with("$SYS/"); }

LoadAverages::LoadAverages() {
  for (std::size_t i = 0; i < kKinds; ++i) loads_[i].name = mqtt::kKinds[i].name;
}

void LoadAverages::Sample(const BrokerCounters& now, std::chrono::milliseconds passed) {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(passed).count();
  for (std::size_t i = 0; i < kKinds; ++i) {
    const auto count = mqtt::kKinds[i].count;
    const double a_minute = static_cast<double>(count(now) - count(before_)) / minutes;
    for (std::size_t span = 0; span < std::size(kSpans); ++span) {
      double& average = loads_[i].a_minute[span];
      average = a_minute + std::exp(-minutes / kSpans[span].minutes) * (average - a_minute);
    }
  }
  before_ = now;
}

void WriteSysTopics(const BrokerFigures& figures, const LoadAverages& loads,
                    const std::function<bool(std::string_view topic)>& wanted,
                    const SysTopicSink& sink) {
  std::string name;
  for (const Topic& topic : kTopics) {
    name.assign(kRoot).append(topic.name);
    if (wanted(name)) sink(name, topic.value(figures));
  }
  for (const LoadAverages::Load& load : loads.loads()) {
    for (std::size_t span = 0; span < std::size(kSpans); ++span) {
      name = LoadTopic(load.name, kSpans[span].name);
      if (!wanted(name)) continue;
      char text[48];
      std::snprintf(text, sizeof text, "%.2f", load.a_minute[span]);
      sink(name, text);
    }
  }
}

}  // namespace mig::mqtt
