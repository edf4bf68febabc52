// What waits to be published at one relay: a bounded queue in front of a bounded number of messages
// that the relay has not acknowledged yet. Everything that goes through here can be lost without
// harm (the store remembers commands, agents repeat results), so a full queue refuses, and a lost
// connection empties it. Pure: `send` is the link's Publish.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::scheduler {

struct Outgoing {
  std::string topic;
  std::shared_ptr<const Bytes> payload;  // shared: one action goes to thousands
  std::chrono::seconds expiry{0};        // 0: none
  bool retain = false;
  // May be empty. Runs once: acknowledged by the relay, or why not; at once when it is refused.
  std::function<void(Expected<void>)> done;
};

class Outbox {
 public:
  using Done = std::function<void(Expected<void>)>;
  // Hands a message to the relay; `done` never runs inside.
  using Send = std::function<void(const Outgoing& message, Done done)>;

  static constexpr std::size_t kMaxQueued = 50'000;

  // `window`: how many may be unacknowledged.
  Outbox(std::size_t window, Send send) : window_(window), send_(std::move(send)) {}

  // Refused: kUnavailable when there is no connection, kFull.
  void Post(Outgoing message);
  // How many more would be sent without waiting in the queue.
  std::size_t Room() const;

  void Connected() { connected_ = true; }
  // Everything that waits is told kUnavailable. The link tells those under way.
  void Lost();

 private:
  void Pump();

  const std::size_t window_;
  const Send send_;
  bool connected_ = false;
  std::size_t under_way_ = 0;
  std::deque<Outgoing> queue_;
};

}  // namespace mig::scheduler
