// Clients that do nothing: what they cost in memory, and when the silent ones are closed.
#include <algorithm>
#include <chrono>
#include <vector>

#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

using Clock = std::chrono::steady_clock;

// Connects and subscribes up to `count` clients.
Expected<void> GrowTo(Load& load, std::size_t count, std::size_t at_once) {
  const std::size_t before = load.connections().size();
  if (auto done = load.DialMany(before, count - before, at_once); !done) return done;
  for (std::size_t i = before; i < count; ++i) {
    load.connections()[i]->Subscribe(CommandTopic(i), mqtt::Qos::kAtLeastOnce);
  }
  return load.Until("subscribe", [&] { return load.subscribed >= count; });
}

Expected<void> Idle(Bench& bench, const std::string& kind, std::size_t at_once) {
  const double before = bench.broker->ResidentBytes();
  for (const std::size_t count : {bench.sizes.idle_few, bench.sizes.idle_many}) {
    if (auto done = GrowTo(*bench.load, count, at_once); !done) return done;
    const double bytes = bench.broker->ResidentBytes() - before;
    bench.Add("memory of " + std::to_string(count) + " idle connections, " + kind, kBytes,
              bytes / static_cast<double>(count));
  }
  return {};
}

}  // namespace

Expected<void> RunIdle(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  return Idle(bench, "plain", 64);
}

Expected<void> RunTlsIdle(Bench& bench) {
  if (auto started = bench.StartTls(); !started) return started;
  bench.load->patience = 4 * bench.sizes.patience;
  return Idle(bench, "mutual TLS", 32);
}

Expected<void> RunKeepAlive(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  Load& load = *bench.load;
  const std::size_t count = bench.sizes.silent;
  const auto keep_alive = std::chrono::seconds(bench.sizes.silent_keep_alive);
  ConnectionOptions like;
  like.keep_alive_seconds = bench.sizes.silent_keep_alive;
  if (auto done = load.DialMany(0, count, 64, like); !done) return done;
  // All speak once more, so that their silence begins at one moment that is known.
  for (const auto& each : load.connections()) each->Ping();
  const auto start = Clock::now();
  std::vector<double> times;
  load.may_close = true;
  load.on_closed = [&](Connection&) {
    times.push_back(std::chrono::duration<double>(Clock::now() - start) / keep_alive);
  };
  load.patience = 3 * keep_alive + std::chrono::seconds(10);
  if (auto done = load.Until("be closed", [&] { return times.size() == count; }); !done) {
    return done;
  }
  // The first and the last, in keep-alive times: the standard says one and a half.
  constexpr Unit kTimes{"keep-alive times", false, 2};
  bench.Add("a silent client is closed, first", kTimes, *std::ranges::min_element(times));
  bench.Add("a silent client is closed, last", kTimes, *std::ranges::max_element(times));
  return {};
}

}  // namespace mig::bench
