// The relay's rim: sockets, TLS and timers around the broker (mqtt/broker.h), which decides
// everything. One thread, the owner's io_context, holds all state; the store has a thread of its
// own and answers through the io_context.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/authoriser.h"
#include "mqtt/broker.h"
#include "mqtt/keeper.h"
#include "mqtt/limits.h"
#include "net/commit_times.h"
#include "net/connection_bounds.h"
#include "net/refusals.h"
#include "net/tls_server_context.h"
#include "os/files.h"
#include "util/expected.h"

namespace boost::asio {
class io_context;
}

namespace mig {

// MQTT over WebSocket, on the same port: at /mqtt, with the subprotocol mqtt.
struct WebSocketOptions {
  bool enabled = true;
  // Browsers say whose page wants to connect. Only pages of these may: "https://host[:port]".
  std::vector<std::string> origins;
};

struct MqttServerOptions {
  std::string listen;         // "127.0.0.1:8883", "[::]:8883"; port 0: the kernel picks
  os::FileDescriptor socket;  // or a socket that listens already
  // Nothing: an open server, for tests and trials, on a loopback address only.
  std::optional<TlsServerFiles> tls;
  WebSocketOptions websocket;

  mqtt::Limits limits;
  // How often those who subscribed to $SYS topics hear of changes; zero: there are none.
  std::chrono::seconds sys_interval{10};
  // Bounds of the rim.
  ConnectionLimits connections;
  // TLS handshakes under way, 2 ms of CPU each; beyond, newcomers wait in the kernel's backlog.
  std::size_t max_handshakes = 256;
  std::size_t handshake_threads = 0;  // 0: as many as processors, two at least
  std::chrono::seconds stuck_after{60};  // with bytes to send and none leaving: closed
  std::chrono::seconds drain_for{2};     // a closed connection's last bytes
  // How often is looked whether the files of revocation lists have changed.
  std::chrono::milliseconds check_revocations{60'000};
};

// One reading of everything that is counted.
struct MqttServerFigures {
  mqtt::BrokerFigures broker;
  mqtt::LoadAverages loads;  // zeros without $SYS topics
  std::size_t connections = 0;
  std::size_t without_connect = 0;
  std::size_t handshakes = 0;  // under way
  std::uint64_t handshakes_done = 0;
  std::map<std::string_view, std::uint64_t> refusals;  // by reason, a literal
  CommitTimes commits;
};

class MqttServer {
 public:
  // `io` and `authoriser` must outlive the server. SIGPIPE must be ignored (os/startup.h).
  // Errors: kInvalid for an address; kDenied for an open server that others could reach; kIo when
  // the address cannot be bound; of the TLS files as TlsServerContext::Load.
  static Expected<std::unique_ptr<MqttServer>> Start(boost::asio::io_context& io,
                                                     MqttServerOptions options,
                                                     std::unique_ptr<mqtt::Keeper> keeper,
                                                     mqtt::Snapshot snapshot,
                                                     const mqtt::Authoriser& authoriser);
  ~MqttServer();  // closes everything at once
  MqttServer(const MqttServer&) = delete;
  MqttServer& operator=(const MqttServer&) = delete;

  std::uint16_t port() const;
  std::size_t connections() const;
  const mqtt::BrokerCounters& counters() const;
  const Refusals& refusals() const;
  const MqttServerOptions& options() const;
  MqttServerFigures Figures() const;
  std::vector<mqtt::QueueFigures> LargestQueues(std::size_t count) const;

  // Called once if the store fails for good: nothing can be acknowledged any more.
  void OnFailure(std::function<void(Error)> failed);

  // New connections use what the files hold now, and those that are open must stand up to it too.
  // What cannot be read stays as it was, and the error says what that is; the rest is new.
  Expected<void> ReloadTls();

  // Accepts nothing new, tells all clients, sends what is to be sent (for at most drain_for),
  // commits everything; then calls `done`.
  void Stop(std::function<void()> done);

 private:
  struct Impl;
  explicit MqttServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace mig
