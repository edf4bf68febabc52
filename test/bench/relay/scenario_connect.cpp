// Clients that come: at their leisure, with TLS, and all at once.
#include <chrono>

#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

using Clock = std::chrono::steady_clock;
using mqtt::Qos;

// Mosquitto listens with a backlog of 100: beyond, the kernel drops SYNs and clients wait a second.
constexpr std::size_t kConnectsAtOnce = 64;
// What TLS has under way; a storm's clients are paced by nobody.
constexpr std::size_t kHandshakesAtOnce = 32;
constexpr std::size_t kStormAtOnce = 1000;

// Connects and subscribes clients 0 to count - 1.
Expected<void> Arrive(Bench& bench, std::string_view row, std::size_t count, std::size_t at_once) {
  Load& load = *bench.load;
  std::size_t dialled = 0;
  const std::size_t before = load.subscribed;
  return bench.Measure(
      row, count, [&] { return load.subscribed - before; },
      [&] {
        while (dialled < count && dialled < load.subscribed - before + at_once) {
          Connection& agent = load.Dial({dialled, {}, false, 0});
          agent.Subscribe(CommandTopic(dialled), Qos::kAtLeastOnce);
          ++dialled;
        }
      });
}

// Sessions that are kept, and subscribed.
Expected<void> MakeSessions(Bench& bench, std::size_t count, std::size_t at_once) {
  Load& load = *bench.load;
  ConnectionOptions like;
  like.keep_session = true;
  if (auto done = load.DialMany(0, count, at_once, like); !done) return done;
  for (const auto& each : load.connections()) {
    each->Subscribe(CommandTopic(each->number()), Qos::kAtLeastOnce);
  }
  return load.Until("subscribe", [&] { return load.subscribed >= count; });
}

Expected<void> Storm(Bench& bench, std::string_view row, std::size_t at_once) {
  Load& load = *bench.load;
  const std::size_t count = bench.sizes.returning;
  if (auto made = MakeSessions(bench, count, 200); !made) return made;
  const double cpu = bench.broker->CpuSeconds();
  const auto start = Clock::now();
  load.DropAll();
  ConnectionOptions like;
  like.keep_session = true;
  if (auto done = load.DialMany(0, count, at_once, like); !done) return done;
  const std::chrono::duration<double> time = Clock::now() - start;
  bench.Add(row, kSeconds, time.count());
  bench.Add(row, kMicroseconds,
            (bench.broker->CpuSeconds() - cpu) * 1e6 / static_cast<double>(count));
  std::size_t without = 0;
  for (const auto& each : load.connections()) without += each->session_present() ? 0 : 1;
  if (without > 0) bench.Remark(row, std::to_string(without) + " sessions were gone");
  return {};
}

}  // namespace

Expected<void> RunConnect(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  return Arrive(bench, "connect and subscribe, plain", bench.sizes.connects, kConnectsAtOnce);
}

Expected<void> RunHandshake(Bench& bench) {
  if (auto started = bench.StartTls(); !started) return started;
  const std::size_t count = bench.sizes.handshakes;
  for (std::size_t i = 0; i < count; ++i) bench.certificates().identity(i).ForgetTicket();
  const auto full =
      Arrive(bench, "connect and subscribe, mutual TLS in full", count, kHandshakesAtOnce);
  if (!full) return full;
  bench.load->DropAll();
  constexpr const char* kRow = "connect and subscribe, TLS with a ticket";
  if (auto done = Arrive(bench, kRow, count, kHandshakesAtOnce); !done) return done;
  std::size_t in_full = 0;
  for (const auto& each : bench.load->connections()) in_full += each->resumed_tls() ? 0 : 1;
  if (in_full > 0) bench.Remark(kRow, std::to_string(in_full) + " were not resumed");
  return {};
}

Expected<void> RunStorm(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  return Storm(bench, "all sessions drop and return at once, plain", kStormAtOnce);
}

Expected<void> RunTlsStorm(Bench& bench) {
  if (auto started = bench.StartTls(); !started) return started;
  bench.load->patience = 4 * bench.sizes.patience;
  return Storm(bench, "all sessions drop and return at once, TLS", kStormAtOnce);
}

}  // namespace mig::bench
