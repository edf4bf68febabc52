#include <algorithm>
#include <array>
#include <chrono>

#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

constexpr std::array kScenarios{
    Scenario{"connect", "clients connect and subscribe", RunConnect, false, false},
    Scenario{"handshake", "TLS in full, and with a ticket", RunHandshake, false, false, true},
    Scenario{"idle", "memory of idle connections", RunIdle, true, false},
    Scenario{"tls-idle", "memory of idle TLS connections", RunTlsIdle, true, false, true},
    Scenario{"delivery", "fan-out and fan-in, QoS 0 and 1", RunDelivery, false, true},
    Scenario{"sweep", "a command to each agent, and a result back", RunSweep, false, true},
    Scenario{"exactly-once", "fan-out and fan-in, QoS 2", RunExactlyOnce, false, true},
    Scenario{"latency", "percentiles at a fixed rate", RunLatency, false, true},
    Scenario{"queue", "messages for absent sessions, and their return", RunQueue, false, true},
    Scenario{"storm", "sessions drop and return at once", RunStorm, false, true},
    Scenario{"tls-storm", "the same over TLS, with tickets", RunTlsStorm, true, true, true},
    Scenario{"slow", "clients that hang beside others", RunSlow, false, true},
    Scenario{"keep-alive", "silent clients are closed", RunKeepAlive, true, false},
    Scenario{"curve", "cost as connections grow", RunCurve, true, false},
    Scenario{"subscriptions", "cost as subscriptions grow", RunSubscriptions, true, false},
};

}  // namespace

std::span<const Scenario> Scenarios() { return kScenarios; }

std::size_t Sizes::MostClients() const { return std::max({handshakes, idle_many, returning}); }

Expected<void> Bench::StartBroker(const Certificates* certificates) {
  auto started = BrokerProcess::Start(peer, programs_, certificates);
  if (!started) return std::move(started).error();
  broker = std::move(*started);
  load = std::make_unique<Load>(*broker, certificates);
  load->patience = sizes.patience;
  return {};
}

Expected<void> Bench::Measure(std::string_view row, std::size_t total,
                              const std::function<std::size_t()>& progress,
                              const std::function<void()>& turn) {
  using Clock = std::chrono::steady_clock;
  const double cpu = broker->CpuSeconds();
  const auto start = Clock::now();
  auto done = load->Until(
      row, [&] { return progress() >= total; }, turn);
  const std::chrono::duration<double> time = Clock::now() - start;
  const double used = broker->CpuSeconds() - cpu;
  const std::size_t did = progress();
  if (!done && (done.error().code() != Errc::kTimeout || did == 0)) return done;
  Add(row, kPerSecond, static_cast<double>(did) / time.count());
  Add(row, kMicroseconds, used * 1e6 / static_cast<double>(did));
  if (!done) {
    // An error, because what is still under way would fall into the next row.
    return Error(Errc::kTimeout, std::string(row) + ": stopped after " + std::to_string(did) +
                                     " of " + std::to_string(total));
  }
  return {};
}

std::string CommandTopic(std::size_t agent) { return "mig/v1/dn/" + ClientName(agent) + "/cmd"; }

std::string ResultTopic(std::size_t agent) { return "mig/v1/up/00/" + ClientName(agent) + "/res"; }

}  // namespace mig::bench
