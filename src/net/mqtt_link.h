// A role's line to one relay: connect, stay connected, publish, subscribe. Paho MQTT C++ stands
// behind it; roles see only this. Everything is called and calls back on the owner's executor
// thread; Paho's threads are kept inside.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/proxy.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace boost::asio {
class io_context;
}

namespace mig {

struct LinkTls {
  std::string ca_file;           // whom we believe the relay to be signed by; empty: no TLS
  std::string certificate_file;  // ours
  std::string key_file;
};

struct LinkOptions {
  std::string host;
  std::uint16_t port = 8883;
  LinkTls tls;
  bool websocket = false;  // MQTT over WebSocket, at /mqtt on that port
  ProxyChoice proxy;
  std::string client_id;
  bool clean_start = false;
  std::chrono::seconds session_expiry{30 * 24 * 3600};
  std::chrono::seconds keep_alive{60};
  std::chrono::seconds connect_timeout{10};
  // Exponential back-off with full jitter between these.
  std::chrono::milliseconds backoff_first{200};
  std::chrono::milliseconds backoff_longest{60'000};
  std::size_t max_unacknowledged = 256;  // publishes; beyond: Publish reports kFull
  // Messages from the relay wait in a queue (net/paho_client.h: 1024, or 16 MiB) for the handler;
  // past that nothing more is read from the relay, which keeps them.
};

struct LinkWill {
  std::string topic;
  Bytes payload;
  std::chrono::seconds delay{60};
};

struct LinkHandlers {
  // After each successful connect. Subscriptions of Subscribe() are in place already.
  std::function<void(bool session_present)> connected;
  std::function<void(std::string_view topic, BytesView payload)> message;
  // Once per loss; reconnecting goes on by itself.
  std::function<void(const Error& reason)> lost;
  // After each attempt that did not become a connection; the next one comes by itself.
  std::function<void(const Error& reason)> failed;
};

class MqttLink {
 public:
  // `io` must outlive the link and be run by one thread, on which all methods are called.
  MqttLink(boost::asio::io_context& io, LinkOptions options, LinkHandlers handlers);
  // Without Stop before, the will is sent. Afterwards nothing is called any more, not even
  // the `done` of what was under way. May be called from inside a handler. Blocks for milliseconds,
  // two seconds at most.
  ~MqttLink();
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  // Called before each attempt, so that a will can carry the time. May be empty.
  void SetWill(std::function<LinkWill()> make_will);
  void Subscribe(std::vector<std::string> filters);  // QoS 1, now and after each connect
  void Start();                                      // first attempt at once, without jitter
  bool connected() const;

  // QoS 0 or 1; `expiry` 0: none. `done` (may be empty) runs once, never from inside Publish:
  // acknowledged by the relay, or why not (kUnavailable when not connected or lost meanwhile,
  // kFull, kDenied with the reason code). What was lost meanwhile may have arrived all the same.
  using Done = std::function<void(Expected<void>)>;
  void Publish(std::string topic, Bytes payload, int qos, std::chrono::seconds expiry, bool retain,
               Done done);

  // Disconnects in order; `done` runs within two seconds.
  void Stop(std::function<void()> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace mig
