// The load: any number of clients in one thread over epoll, and a loop that runs until something
// has happened. Not measured itself, but on the same two cores: it must stay cheaper than a broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "test/bench/relay/broker_process.h"
#include "test/bench/relay/connection.h"
#include "util/expected.h"

namespace mig::bench {

class Load {
 public:
  // `certificates` null: plain. Both outlive the load.
  Load(const BrokerProcess& broker, const Certificates* certificates);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Begins to connect; the connection stays valid until it is dropped.
  Connection& Dial(const ConnectionOptions& options);
  // Closes without a word, and forgets.
  void Drop(Connection& connection);
  void DropAll();

  // Handles what comes until `done`, calling `turn` before each wait. Errors: kTimeout; and
  // kUnavailable when the broker closed a connection (unless that was expected).
  Expected<void> Until(std::string_view what, const std::function<bool()>& done,
                       const std::function<void()>& turn = {});

  // Dials client `first` to `first + count - 1`, at most `at_once` of them without CONNACK, and
  // waits for all.
  Expected<void> DialMany(std::size_t first, std::size_t count, std::size_t at_once,
                          ConnectionOptions like = {});

  // How long Until may take.
  std::chrono::milliseconds patience{60'000};
  // How long one wait may be: what paces itself sets it in `turn`.
  std::chrono::nanoseconds longest_wait{std::chrono::milliseconds(100)};
  bool may_close = false;  // the broker is expected to close connections

  // Called for each PUBLISH that comes.
  std::function<void(Connection&, BytesView payload)> on_delivered;
  std::function<void(Connection&)> on_closed;

  // Sums over all connections.
  std::size_t connected = 0;
  std::size_t subscribed = 0;
  std::size_t acknowledged = 0;
  std::size_t delivered = 0;
  std::size_t closed = 0;

  const std::vector<std::unique_ptr<Connection>>& connections() const { return connections_; }

 private:
  friend class Connection;
  void Watch(Connection& connection, int fd, std::uint32_t events, bool is_new);
  void MarkDirty(Connection& connection);
  void FlushDirty();
  void Turn();
  void OnConnected(Connection& connection);
  void OnSubscribed() { ++subscribed; }
  void OnAcknowledged() { ++acknowledged; }
  void OnDelivered(Connection& connection, BytesView payload);
  void OnClosed(Connection& connection);

  std::uint16_t port_;
  const Certificates* certificates_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> dirty_;
};

}  // namespace mig::bench
