// Messages for sessions that are away: queued, kept, and delivered on return.
#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

using mqtt::Qos;

constexpr std::size_t kAhead = 1000;  // without PUBACK

}  // namespace

Expected<void> RunQueue(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  Load& load = *bench.load;
  const std::size_t absent = bench.sizes.absent;
  const std::size_t total = absent * bench.sizes.queued;
  ConnectionOptions like;
  like.keep_session = true;
  if (auto done = load.DialMany(0, absent, 64, like); !done) return done;
  for (const auto& each : load.connections()) {
    each->Subscribe(CommandTopic(each->number()), Qos::kAtLeastOnce);
  }
  if (auto done = load.Until("subscribe", [&] { return load.subscribed >= absent; }); !done) {
    return done;
  }
  load.DropAll();
  if (auto done = load.DialMany(kServer, 1, 1); !done) return done;
  Connection& server = *load.connections().front();

  const Bytes payload(kPayloadBytes, 'x');
  const double before = bench.broker->ResidentBytes();
  std::size_t sent = 0;
  const auto queued = bench.Measure(
      "queue for absent sessions, QoS 1", total,
      [&] { return static_cast<std::size_t>(server.acknowledged); },
      [&] {
        for (; sent < total && sent < server.acknowledged + kAhead; ++sent) {
          server.Publish(CommandTopic(sent % absent), payload, Qos::kAtLeastOnce);
        }
      });
  if (!queued) return queued;
  bench.Add("memory of a queued message", kBytes,
            (bench.broker->ResidentBytes() - before) / static_cast<double>(total));

  load.delivered = 0;
  std::size_t dialled = 0;
  const std::size_t present = load.connected;
  return bench.Measure(
      "drain on return, QoS 1", total, [&] { return load.delivered; },
      [&] {
        for (; dialled < absent && dialled < load.connected - present + 64; ++dialled) {
          like.number = dialled;
          load.Dial(like);
        }
      });
}

}  // namespace mig::bench
