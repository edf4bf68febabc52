// What the threads around one MQTT client hand each other: requests and publishes inwards, events
// and messages outwards. Internal to paho_client.cpp and paho_session.cpp.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <variant>

#include "net/paho_client.h"

namespace mig::paho {

struct ConnectRequest {
  LinkOptions options;
  std::optional<LinkWill> will;
  std::string proxy;
};
struct SubscribeRequest {
  std::string filter;
};
struct PublishRequest {
  std::uint64_t attempt;
  std::uint64_t publish;
  PahoMessage message;
  int qos;
  std::chrono::seconds expiry;
  bool retain;
};
struct DisconnectRequest {};
struct AbandonRequest {};

struct Request {
  std::uint64_t attempt;
  std::variant<ConnectRequest, SubscribeRequest, DisconnectRequest, AbandonRequest> what;
};

// What our thread, Paho's two, and the owner's meet in.
struct Exchange {
  std::mutex mutex;
  std::condition_variable requested;  // our thread waits here
  std::condition_variable space;      // Paho's receiving thread waits here
  std::condition_variable finished;   // the destructor waits here

  // Under `mutex`.
  std::deque<Request> requests;
  std::deque<PublishRequest> publishes;  // not given to Paho yet; the link bounds them
  std::uint64_t attempt = 0;             // of the session that counts
  std::size_t in_flight = 0;             // publishes given to Paho and not done
  std::size_t window = 0;                // so many may be; none before CONNACK
  std::uint64_t completed = 0;
  std::vector<PahoEvent> events;
  std::deque<PahoMessage> messages;
  std::size_t message_bytes = 0;
  std::uint64_t dropped = 0;
  bool delivering = false;
  bool closing = false;
  bool done = false;  // our thread has left Paho for good
  bool woken = false;
  std::function<void()> wake;  // empty once the owner is gone

  // `wake` runs under the lock, so that none runs after the destructor has emptied it.
  void WakeLocked() {
    if (woken || !wake) return;
    woken = true;
    wake();
  }

  void Tell(PahoEvent event) {
    const std::lock_guard lock(mutex);
    events.push_back(std::move(event));
    WakeLocked();
  }

  void Ask(Request request) {
    {
      const std::lock_guard lock(mutex);
      requests.push_back(std::move(request));
    }
    requested.notify_one();
  }

  void TellPublished(std::uint64_t of_attempt, std::uint64_t publish, Expected<void> outcome) {
    {
      const std::lock_guard lock(mutex);
      if (of_attempt != attempt) return;  // the link has given up on it already
      if (in_flight > 0) --in_flight;
      ++completed;
      events.push_back({.kind = PahoEvent::Kind::kPublished,
                        .attempt = of_attempt,
                        .publish = publish,
                        .outcome = std::move(outcome)});
      WakeLocked();
    }
    requested.notify_one();
  }

  // On Paho's receiving thread.
  void Deliver(PahoMessage message) {
    std::unique_lock lock(mutex);
    space.wait(lock, [&] {
      return !delivering || closing ||
             (messages.size() < PahoClient::kMaxMessages &&
              message_bytes < PahoClient::kMaxMessageBytes);
    });
    if (closing) return;
    if (messages.size() >= PahoClient::kMaxEarlyMessages ||
        message_bytes >= 4 * PahoClient::kMaxMessageBytes) {
      ++dropped;
      return;
    }
    message_bytes += message.payload.size();
    messages.push_back(std::move(message));
    WakeLocked();
  }
};

}  // namespace mig::paho
