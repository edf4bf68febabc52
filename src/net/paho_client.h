// One MQTT 5 client over Paho MQTT C++, worked by a thread of its own: requests go in through a
// queue, events and messages come out through two others. What to do when is decided in
// net/mqtt_link.cpp; this file only knows how Paho wants to be treated:
//
// - Paho calls back with its one global lock held, and holds that lock while it resolves names and
//   writes to sockets. So its functions are called on our thread only, never on an io_context's,
//   and never from inside a callback.
// - Callbacks are set before connect and never again (lock order, paho.mqtt.cpp #356).
// - Every attempt to connect gets a new Paho client: reconnecting an old one is where its bugs are
//   (#408), and a will can only be changed with a new one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/mqtt_link.h"

namespace mig {

namespace paho {
struct Exchange;
}

struct PahoEvent {
  enum class Kind {
    kConnected,  // CONNACK with success
    kConnectFailed,
    kSubscribed,    // SUBACK, one for each Subscribe()
    kPublished,     // `publish` is done: acknowledged (QoS 1), written (QoS 0), or not
    kLost,          // the connection ended
    kDisconnected,  // Disconnect() is done
  };
  Kind kind;
  std::uint64_t attempt = 0;  // what Connect was called with
  std::uint64_t publish = 0;
  bool session_present = false;
  Expected<void> outcome;
};

struct PahoMessage {
  std::string topic;
  Bytes payload;
};

class PahoClient {
 public:
  // What may wait between Paho's threads and TakeMessage.
  static constexpr std::size_t kMaxMessages = 1024;
  static constexpr std::size_t kMaxMessageBytes = std::size_t{16} << 20;
  // While nobody takes messages because the connection is not up yet.
  static constexpr std::size_t kMaxEarlyMessages = 8192;

  // `wake` is called from any thread when there is something to take; then not again until
  // TakeEvents was called. It must not block.
  explicit PahoClient(std::function<void()> wake);
  // An open connection is ended as if it broke: the will is sent. Afterwards `wake` is not
  // called any more. Waits for Paho: some milliseconds, two seconds at most.
  ~PahoClient();
  PahoClient(const PahoClient&) = delete;
  PahoClient& operator=(const PahoClient&) = delete;

  // None of these blocks. Each names the attempt it means; what comes for another is ignored.
  // `proxy`: where Paho is to connect through, empty: nowhere (net/proxy_tunnel.h).
  void Connect(std::uint64_t attempt, LinkOptions options, std::optional<LinkWill> will,
               std::string proxy);
  void Subscribe(std::uint64_t attempt, std::string filter);  // QoS 1
  void Publish(std::uint64_t attempt, std::uint64_t publish, PahoMessage message, int qos,
               std::chrono::seconds expiry, bool retain);
  void Disconnect(std::uint64_t attempt);  // in order: no will; the session stays
  void Abandon(std::uint64_t attempt);     // whatever state it is in; no event follows

  // Events in the order they happened.
  std::vector<PahoEvent> TakeEvents();
  // Messages, oldest first. While `Delivering(true)`, a full queue makes Paho wait, and through TCP
  // the relay; otherwise the newest are dropped and counted (both cannot wait: Paho would not see
  // the SUBACK that ends this state).
  std::optional<PahoMessage> TakeMessage();
  void Delivering(bool delivering);
  std::uint64_t TakeDropped();

 private:
  std::shared_ptr<paho::Exchange> shared_;
};

}  // namespace mig
