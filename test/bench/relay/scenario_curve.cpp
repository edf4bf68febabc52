// Whether cost grows no faster than what it is for: connections, and subscriptions.
#include <chrono>
#include <random>

#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

using mqtt::Qos;

constexpr std::size_t kAhead = 500;
constexpr std::size_t kSubscriptionsEach = 50;  // of one client, in the end
constexpr std::size_t kPublishes = 50'000;

// Every tenth subscription has a wildcard.
bool IsWild(std::size_t subscription) { return subscription % 10 == 9; }

std::string TopicOf(std::size_t subscription) {
  return "site/" + std::to_string(subscription / 100) + "/sensor/" + std::to_string(subscription);
}

}  // namespace

Expected<void> RunCurve(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  Load& load = *bench.load;
  const double memory = bench.broker->ResidentBytes();
  const Bytes payload(kPayloadBytes, 'x');
  if (auto done = load.DialMany(kServer, 1, 1); !done) return done;
  Connection& server = *load.connections().front();
  std::size_t agents = 0;
  for (const std::size_t count : bench.sizes.curve_connections) {
    const std::string at = " with " + std::to_string(count) + " connections";
    const std::size_t subscribed = load.subscribed;
    const std::size_t before = agents;
    auto grown = bench.Measure(
        "connect and subscribe," + at, count - before, [&] { return load.subscribed - subscribed; },
        [&] {
          while (agents < count && agents < before + load.subscribed - subscribed + 64) {
            load.Dial({agents, {}, false, 0}).Subscribe(CommandTopic(agents), Qos::kAtLeastOnce);
            ++agents;
          }
        });
    if (!grown) return grown;
    bench.Add("memory of a connection," + at, kBytes,
              (bench.broker->ResidentBytes() - memory) / static_cast<double>(count));
    load.delivered = 0;
    const std::size_t total = std::max<std::size_t>(kPublishes, 2 * count);
    std::size_t sent = 0;
    auto swept = bench.Measure(
        "a message to each in turn, QoS 1," + at, total, [&] { return load.delivered; },
        [&] {
          for (; sent < total && sent < load.delivered + kAhead; ++sent) {
            server.Publish(CommandTopic(sent % count), payload, Qos::kAtLeastOnce);
          }
        });
    if (!swept) return swept;
  }
  return {};
}

Expected<void> RunSubscriptions(Bench& bench) {
  if (auto started = bench.StartPlain(); !started) return started;
  Load& load = *bench.load;
  const Bytes payload(kPayloadBytes, 'x');
  // All clients from the start: only the number of subscriptions grows.
  const std::size_t clients = bench.sizes.curve_subscriptions.back() / kSubscriptionsEach;
  if (auto done = load.DialMany(0, clients, 64); !done) return done;
  if (auto done = load.DialMany(kServer, 1, 1); !done) return done;
  Connection& server = *load.connections().back();
  std::size_t subscriptions = 0;
  for (const std::size_t count : bench.sizes.curve_subscriptions) {
    const std::string at = " with " + std::to_string(count) + " subscriptions";
    const std::size_t before = subscriptions;
    const std::size_t subscribed = load.subscribed;
    auto added = bench.Measure(
        "subscribe," + at, count - before, [&] { return load.subscribed - subscribed; },
        [&] {
          while (subscriptions < count &&
                 subscriptions < before + load.subscribed - subscribed + kAhead) {
            const std::string topic = TopicOf(subscriptions);
            load.connections()[subscriptions % clients]->Subscribe(
                IsWild(subscriptions) ? topic + "/+" : topic, Qos::kAtLeastOnce);
            ++subscriptions;
          }
        });
    if (!added) return added;
    load.delivered = 0;
    std::mt19937_64 random(1);  // NOLINT: the same choices in every run
    std::size_t sent = 0;
    auto published = bench.Measure(
        "a message to one at random, QoS 1," + at, kPublishes, [&] { return load.delivered; },
        [&] {
          for (; sent < kPublishes && sent < load.delivered + kAhead; ++sent) {
            const std::size_t to = random() % count;
            server.Publish(IsWild(to) ? TopicOf(to) + "/x" : TopicOf(to), payload,
                           Qos::kAtLeastOnce);
          }
        });
    if (!published) return published;
  }
  return {};
}

}  // namespace mig::bench
