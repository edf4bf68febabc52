// Sends what waits in the outbox, oldest first, a bounded number at a time, and again when the
// scheduler stays silent: the relay's acknowledgement proves nothing, only the scheduler's does.
// Neither sockets nor timers: it publishes through a function, and says when it wants to be woken.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "proto/command.h"
#include "store/agent_db.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::agent {

class OutboxSender {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // Parts that the relay has not taken yet; with 256 KiB each this bounds the memory.
  static constexpr std::size_t kWindow = 8;
  // How long after the last word from the scheduler everything unacknowledged is sent again; it
  // doubles with each repetition, so that a scheduler that is away does not find the same parts
  // again and again in its queue.
  static constexpr std::chrono::seconds kFirstSilence{30};
  static constexpr std::chrono::seconds kLongestSilence{600};

  // Calls `done` once, not from inside: taken by the relay, or not.
  using Done = std::function<void(Expected<void>)>;
  using Publish = std::function<void(const store::StoredPart& part, Done done)>;
  using Clock = std::function<Instant()>;

  // `db` must outlive the sender; `publish` may be called from every function below.
  OutboxSender(store::AgentDb& db, Publish publish, Clock clock);

  void Connected();  // begins with the oldest
  void Lost();
  void Stored();    // there are new parts
  void Repeated();  // parts that were acknowledged wait again
  void Acknowledged(const Acknowledgement& acknowledgement);

  // When it wants Wake() to be called; nothing: not at all. May change with every call.
  std::optional<Instant> wake_at() const { return wake_at_; }
  void Wake();

 private:
  void Pump();
  void Taken(std::uint64_t connection, const Expected<void>& taken);
  void Restart() { sent_up_to_ = 0; }
  void AwaitWord();

  store::AgentDb& db_;
  Publish publish_;
  Clock clock_;
  bool connected_ = false;
  // Each connection has its number: what a former one still reports does not count.
  std::uint64_t connection_ = 0;
  std::size_t in_flight_ = 0;
  std::uint64_t sent_up_to_ = 0;  // number of the last part sent in this round
  std::chrono::seconds silence_ = kFirstSilence;
  std::optional<Instant> wake_at_;
};

}  // namespace mig::agent
