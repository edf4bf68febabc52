// One attempt to connect: a Paho client and its listeners. Made, used and destroyed on the one
// thread that calls Paho; what Paho calls back on its own threads, with its lock held, only leaves
// a note in the exchange. Internal to paho_client.cpp.
#pragma once

#include <mqtt/async_client.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "net/paho_exchange.h"

namespace mig::paho {

class Session {
 public:
  Session(std::shared_ptr<Exchange> exchange, std::uint64_t attempt, LinkOptions options);

  std::uint64_t attempt() const { return attempt_; }
  // Until CONNACK, or failure.
  bool connecting() const { return connecting_; }
  const std::optional<LinkWill>& will() const { return will_; }

  // These throw what Paho throws: mqtt::exception, std::bad_alloc.
  void Connect(const std::optional<LinkWill>& will, const std::string& proxy);
  void Subscribe(const std::string& filter);
  void Publish(const PublishRequest& request);

  // Tells of a loss of which no callback told: the link would wait for ever.
  void Watch();
  // In order. Nothing may be in flight: Paho would look again after three seconds only.
  void Disconnect();

 private:
  struct Listener : mqtt::iaction_listener {
    explicit Listener(Session& owner) : session(owner) {}
    Session& session;
  };
  struct ConnectListener : Listener {
    using Listener::Listener;
    void on_success(const mqtt::token& token) override { session.OnConnected(token); }
    void on_failure(const mqtt::token& token) override { session.OnConnectFailed(token); }
  };
  struct SubscribeListener : Listener {
    using Listener::Listener;
    void on_success(const mqtt::token&) override { session.Tell(PahoEvent::Kind::kSubscribed, {}); }
    void on_failure(const mqtt::token& token) override { session.OnSubscribeFailed(token); }
  };
  struct PublishListener : Listener {
    using Listener::Listener;
    void on_success(const mqtt::token& token) override { session.OnPublished(token, {}); }
    void on_failure(const mqtt::token& token) override {
      session.OnPublished(token, FailureOf(token).During("publish"));
    }
  };

  mqtt::ssl_options TlsOptions() const;
  // A reason code of the relay's where there is one, else what Paho calls it.
  static Error FailureOf(const mqtt::token& token);

  // On Paho's threads.
  void OnConnected(const mqtt::token& token);
  void OnConnectFailed(const mqtt::token& token);
  void OnSubscribeFailed(const mqtt::token& token);
  void OnPublished(const mqtt::token& token, Expected<void> outcome);
  void OnLost(Error reason);
  void Tell(PahoEvent::Kind kind, Expected<void> outcome);

  const std::shared_ptr<Exchange> exchange_;
  const std::uint64_t attempt_;
  const LinkOptions options_;
  std::optional<LinkWill> will_;  // only on our thread
  std::atomic<bool> connecting_{true};
  ConnectListener connect_listener_;
  SubscribeListener subscribe_listener_;
  PublishListener publish_listener_;
  // Last, so first to go: its destructor takes Paho's lock, after which no callback runs any more.
  mqtt::async_client client_;
};

}  // namespace mig::paho
