// A scenario: one broker, started afresh, and what is done to it. They stand in one table
// (scenarios.cpp); to add one, write its function and add its line there.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "test/bench/relay/broker_process.h"
#include "test/bench/relay/load.h"
#include "test/bench/relay/measurements.h"

namespace mig::bench {

// How much is done: --quick and the smoke test do less of the same.
struct Sizes {
  std::size_t agents = 1000;
  std::size_t fan_out_messages = 300;  // to each agent
  std::size_t fan_in_messages = 100;   // of each agent
  std::size_t trips = 20;              // command and result, with each agent
  std::size_t connects = 5000;
  std::size_t handshakes = 1000;
  std::size_t idle_few = 1000, idle_many = 10'000;
  std::size_t absent = 2000;
  std::size_t queued = 50;  // for each of them
  std::size_t returning = 5000;
  std::size_t paced_seconds = 5;
  std::size_t slow_messages = 5000;
  std::span<const std::size_t> curve_connections;
  std::span<const std::size_t> curve_subscriptions;
  std::size_t silent = 500;
  std::uint16_t silent_keep_alive = 4;
  std::chrono::seconds patience{30};  // for one row; scenarios with TLS multiply it

  std::size_t MostClients() const;  // that a scenario with TLS has
};

class Bench {
 public:
  Bench(Peer which, const Programs& programs, const Sizes& how_much, const Certificates& tls_files,
        Measurements& results)
      : peer(which),
        sizes(how_much),
        programs_(programs),
        certificates_(tls_files),
        results_(results) {}

  // Starts the broker, once in a scenario. Error: as BrokerProcess::Start.
  Expected<void> StartPlain() { return StartBroker(nullptr); }
  Expected<void> StartTls() { return StartBroker(&certificates_); }

  void Add(std::string_view row, const Unit& unit, double value) {
    results_.Add(row, unit, peer, value);
  }
  void Remark(std::string_view row, std::string_view text) { results_.Remark(row, peer, text); }

  // Does `total` things and adds what they cost, as a rate and in processor time. `progress` says
  // how many are done, `turn` sends more. What is done when the patience ends counts, too: a slow
  // broker gets figures as well, and a remark. Error: nothing was done, or the broker closed a
  // connection.
  Expected<void> Measure(std::string_view row, std::size_t total,
                         const std::function<std::size_t()>& progress,
                         const std::function<void()>& turn = {});

  const Certificates& certificates() const { return certificates_; }

  const Peer peer;
  const Sizes& sizes;
  std::unique_ptr<BrokerProcess> broker;
  std::unique_ptr<Load> load;

 private:
  Expected<void> StartBroker(const Certificates* certificates);

  const Programs& programs_;
  const Certificates& certificates_;
  Measurements& results_;
};

struct Scenario {
  const char* name;
  const char* what;
  Expected<void> (*run)(Bench& bench);
  bool once;           // takes long and varies little: one round does
  bool needs_storage;  // false: what Mosquitto writes to disk does not matter here
  bool tls = false;    // needs a certificate for each client
};

std::span<const Scenario> Scenarios();

// scenario_connect.cpp
Expected<void> RunConnect(Bench& bench);
Expected<void> RunHandshake(Bench& bench);
Expected<void> RunStorm(Bench& bench);
Expected<void> RunTlsStorm(Bench& bench);
// scenario_idle.cpp
Expected<void> RunIdle(Bench& bench);
Expected<void> RunTlsIdle(Bench& bench);
Expected<void> RunKeepAlive(Bench& bench);
// scenario_delivery.cpp
Expected<void> RunDelivery(Bench& bench);
Expected<void> RunSweep(Bench& bench);
Expected<void> RunExactlyOnce(Bench& bench);
Expected<void> RunLatency(Bench& bench);
Expected<void> RunSlow(Bench& bench);
// scenario_queue.cpp
Expected<void> RunQueue(Bench& bench);
// scenario_curve.cpp
Expected<void> RunCurve(Bench& bench);
Expected<void> RunSubscriptions(Bench& bench);

// The topics of the system: DESIGN, section MQTT; an agent's rights allow them on every broker.
std::string CommandTopic(std::size_t agent);
std::string ResultTopic(std::size_t agent);
inline constexpr std::string_view kAllCommands = "mig/v1/dn/all/cmd";
inline constexpr std::string_view kAllResults = "mig/v1/up/#";
inline constexpr std::size_t kServer = 100'000;  // the number of the client that is no agent
inline constexpr std::size_t kPayloadBytes = 64;

}  // namespace mig::bench
