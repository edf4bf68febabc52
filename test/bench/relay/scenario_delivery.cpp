// Messages to clients that are there: how many, how fast, and what others suffer when some hang.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

using Clock = std::chrono::steady_clock;
using mqtt::Qos;

// Messages under way in all: fewer than a queue of either broker holds.
constexpr std::size_t kFanOutAhead = 10;
constexpr std::size_t kAhead = 500;

std::string QosName(Qos qos) { return ", QoS " + std::to_string(static_cast<int>(qos)); }

// Agents 0 to count - 1 with their two subscriptions, and behind them the server.
Expected<void> Assemble(Bench& bench, std::size_t agents) {
  Load& load = *bench.load;
  if (auto done = load.DialMany(0, agents, 64); !done) return done;
  for (const auto& each : load.connections()) {
    each->Subscribe(CommandTopic(each->number()), Qos::kExactlyOnce);
    each->Subscribe(kAllCommands, Qos::kExactlyOnce);
  }
  if (auto done = load.DialMany(kServer, 1, 1); !done) return done;
  load.connections().back()->Subscribe(kAllResults, Qos::kExactlyOnce);
  return load.Until("subscribe", [&] { return load.subscribed >= 2 * agents + 1; });
}

Expected<void> FanOut(Bench& bench, Qos qos) {
  Load& load = *bench.load;
  const std::size_t agents = bench.sizes.agents;
  const std::size_t messages = bench.sizes.fan_out_messages;
  Connection& server = *load.connections().back();
  const Bytes payload(kPayloadBytes, 'x');
  load.delivered = 0;
  std::size_t sent = 0;
  return bench.Measure(
      "fan-out 1 to " + std::to_string(agents) + QosName(qos), messages * agents,
      [&] { return load.delivered; },
      [&] {
        for (; sent < messages && sent * agents < load.delivered + kFanOutAhead * agents; ++sent) {
          server.Publish(kAllCommands, payload, qos);
        }
      });
}

Expected<void> FanIn(Bench& bench, Qos qos) {
  Load& load = *bench.load;
  const std::size_t agents = bench.sizes.agents;
  const std::size_t total = agents * bench.sizes.fan_in_messages;
  const Bytes payload(kPayloadBytes, 'x');
  load.delivered = 0;
  std::size_t sent = 0;
  return bench.Measure(
      "fan-in " + std::to_string(agents) + " to 1" + QosName(qos), total,
      [&] { return load.delivered; },
      [&] {
        for (; sent < total && sent < load.delivered + kAhead; ++sent) {
          const std::size_t agent = sent % agents;
          load.connections()[agent]->Publish(ResultTopic(agent), payload, qos);
        }
      });
}

// One command to each agent, and a result back.
Expected<void> Sweep(Bench& bench) {
  Load& load = *bench.load;
  const std::size_t agents = bench.sizes.agents;
  const std::size_t trips = agents * bench.sizes.trips;
  Connection& server = *load.connections().back();
  const Bytes payload(kPayloadBytes, 'x');
  std::size_t answered = 0;
  std::size_t asked = 0;
  load.on_delivered = [&](Connection& receiver, BytesView) {
    if (&receiver == &server) {
      ++answered;
    } else {
      receiver.Publish(ResultTopic(receiver.number()), payload, Qos::kAtLeastOnce);
    }
  };
  auto done = bench.Measure(
      "sweep: command to each of " + std::to_string(agents) + " and result, QoS 1", trips,
      [&] { return answered; },
      [&] {
        for (; asked < trips && asked < answered + kAhead; ++asked) {
          server.Publish(CommandTopic(asked % agents), payload, Qos::kAtLeastOnce);
        }
      });
  load.on_delivered = {};
  return done;
}

// Sends at a fixed rate whatever happens, and takes the time from the moment at which each message
// was due, so that a broker that stalls does not also stall what measures it.
class Paced {
 public:
  Paced(Load& load, std::size_t messages, std::chrono::nanoseconds interval)
      : load_(load), messages_(messages), interval_(interval), start_(Clock::now()) {}

  // Calls `send` with the number and the payload of each message that is due.
  template <typename Send>
  void Turn(Send send) {
    auto now = Clock::now();
    for (; sent_ < messages_ && Due(sent_) <= now; ++sent_) {
      const std::int64_t due = Due(sent_).time_since_epoch().count();
      Bytes payload(kPayloadBytes, 'x');
      std::memcpy(payload.data(), &due, sizeof due);
      send(sent_, payload);
    }
    using std::chrono::nanoseconds;
    load_.longest_wait = sent_ < messages_
                             ? std::max(nanoseconds(0), nanoseconds(Due(sent_) - Clock::now()))
                             : nanoseconds(std::chrono::milliseconds(100));
  }
  void Received(BytesView payload) {
    std::int64_t due = 0;
    std::memcpy(&due, payload.data(), sizeof due);
    const auto late = Clock::now().time_since_epoch().count() - due;
    milliseconds_.push_back(static_cast<double>(late) / 1e6);
  }
  double Percentile(double part) {
    std::ranges::sort(milliseconds_);
    const auto at = static_cast<std::size_t>(part * static_cast<double>(milliseconds_.size()));
    return milliseconds_[std::min(at, milliseconds_.size() - 1)];
  }

 private:
  Clock::time_point Due(std::size_t message) const {
    return start_ + interval_ * static_cast<std::int64_t>(message);
  }
  Load& load_;
  std::size_t messages_;
  std::chrono::nanoseconds interval_;
  Clock::time_point start_;
  std::size_t sent_ = 0;
  std::vector<double> milliseconds_;
};

constexpr std::size_t kPacedAgents = 100;

template <typename Send>
Expected<void> MeasureLatency(Bench& bench, const std::string& row, std::size_t a_second,
                              std::size_t receivers, Send send) {
  Load& load = *bench.load;
  const std::size_t messages = a_second * bench.sizes.paced_seconds;
  Paced paced(load, messages, std::chrono::nanoseconds(1'000'000'000 / a_second));
  load.delivered = 0;
  load.on_delivered = [&](Connection&, BytesView payload) { paced.Received(payload); };
  auto done = load.Until(
      row, [&] { return load.delivered >= messages * receivers; }, [&] { paced.Turn(send); });
  load.on_delivered = {};
  load.longest_wait = std::chrono::milliseconds(100);
  if (!done) return done;
  bench.Add(row + ", p50", kMilliseconds, paced.Percentile(0.5));
  bench.Add(row + ", p99", kMilliseconds, paced.Percentile(0.99));
  return {};
}

}  // namespace

Expected<void> RunDelivery(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  if (auto done = Assemble(bench, bench.sizes.agents); !done) return done;
  for (const Qos qos : {Qos::kAtMostOnce, Qos::kAtLeastOnce}) {
    if (auto done = FanOut(bench, qos); !done) return done;
    if (auto done = FanIn(bench, qos); !done) return done;
  }
  return {};
}

Expected<void> RunSweep(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  if (auto done = Assemble(bench, bench.sizes.agents); !done) return done;
  return Sweep(bench);
}

Expected<void> RunExactlyOnce(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  if (auto done = Assemble(bench, bench.sizes.agents); !done) return done;
  if (bench.load->connections().back()->granted() != 2) {
    bench.Remark("QoS 2", "not granted");
    return {};
  }
  if (auto done = FanOut(bench, Qos::kExactlyOnce); !done) return done;
  return FanIn(bench, Qos::kExactlyOnce);
}

Expected<void> RunLatency(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  Load& load = *bench.load;
  if (auto done = Assemble(bench, kPacedAgents); !done) return done;
  Connection& server = *load.connections().back();
  auto out = MeasureLatency(bench, "latency, fan-out 1 to 100, 10,000 deliveries/s, QoS 1", 100,
                            kPacedAgents, [&](std::size_t, BytesView payload) {
                              server.Publish(kAllCommands, payload, Qos::kAtLeastOnce);
                            });
  if (!out) return out;
  return MeasureLatency(bench, "latency, fan-in 100 to 1, 5,000/s, QoS 1", 5000, 1,
                        [&](std::size_t message, BytesView payload) {
                          const std::size_t agent = message % kPacedAgents;
                          load.connections()[agent]->Publish(ResultTopic(agent), payload,
                                                             Qos::kAtLeastOnce);
                        });
}

Expected<void> RunSlow(Bench& bench) {
  constexpr std::size_t kFast = 50;
  constexpr std::size_t kHanging = 5;
  constexpr std::size_t kBigPayload = 4096;
  if (auto started = bench.StartPlain(); !started) return started;
  Load& load = *bench.load;
  if (auto done = Assemble(bench, kFast + kHanging); !done) return done;
  Connection& server = *load.connections().back();
  for (std::size_t i = kFast; i < kFast + kHanging; ++i) load.connections()[i]->Hang();
  const Bytes payload(kBigPayload, 'x');
  for (const Qos qos : {Qos::kAtMostOnce, Qos::kAtLeastOnce}) {
    const double before = bench.broker->ResidentBytes();
    const std::size_t messages = bench.sizes.slow_messages;
    load.delivered = 0;
    std::size_t sent = 0;
    auto done = bench.Measure(
        "4 KB to 50 clients beside 5 that hang" + QosName(qos), messages * kFast,
        [&] { return load.delivered; },
        [&] {
          for (; sent < messages && sent * kFast < load.delivered + 8 * kFast; ++sent) {
            server.Publish(kAllCommands, payload, qos);
          }
        });
    if (!done) return done;
    bench.Add("memory grown for each that hangs" + QosName(qos), kMegabytes,
              (bench.broker->ResidentBytes() - before) / 1e6 / static_cast<double>(kHanging));
  }
  return {};
}

}  // namespace mig::bench
