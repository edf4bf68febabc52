// The messages that wait for one session, or for one group of shared subscribers: a window in
// memory and, if the queue is durable, a tail that stands on disk only. Of a session that is away
// nothing is in memory but the count. Bounded in messages and bytes; what "full" means for the
// publisher is the broker's matter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mqtt/message.h"
#include "mqtt/subscription_tree.h"

namespace mig::mqtt {

// One message on its way to one queue's owner.
struct QueueEntry {
  std::uint64_t sequence = 0;  // counts up within the queue, from 1
  MessageRef message;
  Qos qos = Qos::kAtLeastOnce;             // of this delivery
  bool retain = false;                     // of this delivery
  std::vector<std::uint32_t> identifiers;  // of the subscriptions that matched
};

// How many entries of a durable queue are in memory at most, and at which number more are fetched.
inline constexpr std::size_t kWindowEntries = 128;
inline constexpr std::size_t kPageBelow = 32;
inline constexpr std::size_t kPageEntries = 64;

// What waits in several queues together.
struct QueueTotals {
  std::size_t messages = 0;
  std::size_t bytes = 0;
};

class MessageQueue {
 public:
  // `totals`, which may be null, outlives the queue; what the queue holds is in them.
  explicit MessageQueue(QueueId id, QueueTotals* totals = nullptr) : id_(id), totals_(totals) {}
  ~MessageQueue();
  MessageQueue(const MessageQueue&) = delete;
  MessageQueue& operator=(const MessageQueue&) = delete;

  QueueId id() const { return id_; }

  // Durable queues have a row for each entry; the broker reports them to the store.
  bool durable() const { return durable_; }
  void MakeDurable() { durable_ = true; }

  // All entries that are not done yet, in flight included.
  std::size_t messages() const { return messages_; }
  std::size_t bytes() const { return bytes_; }

  std::uint64_t NextSequence() { return ++last_sequence_; }

  // Takes in what the store says at start.
  void Restore(std::size_t messages, std::size_t bytes, std::uint64_t last_sequence);

  // Appends an entry with its sequence number set. While nobody reads a durable queue
  // (`reading` false), or its tail is on disk, the entry goes to the disk only.
  void Push(QueueEntry entry, bool reading);

  // The next entry to be sent, or nothing (perhaps because a page must come first).
  std::optional<QueueEntry> Pop();
  const QueueEntry* Front() const { return head_ < window_.size() ? &window_[head_] : nullptr; }
  // What is in memory and not in flight.
  std::span<const QueueEntry> Window() const { return std::span(window_).subspan(head_); }

  // Gives back an entry whose receiver went away before it acknowledged.
  void Return(QueueEntry entry);

  // Counts an entry that is in flight already and never waits here: it came from a group's queue.
  // Requires: TailInMemory().
  void Adopt(std::uint64_t sequence, std::size_t size);
  // True if no entry is on disk only.
  bool TailInMemory() const { return on_disk_ == 0 && !page_asked_; }

  // An entry is done with: acknowledged, expired, or dropped.
  void Done(std::size_t size);

  // Forgets the window; all that is left is on disk. Requires: durable().
  void ToDisk();

  // True when a page should be asked for, after AskedForPage() no more until Paged().
  bool NeedsPage() const;
  // The sequence number after which the page starts.
  std::uint64_t PageAfter() const { return paged_up_to_; }
  void AskedForPage() { page_asked_ = true; }
  // Rows in order. `after` is what was asked; an answer to an older question is ignored (false).
  bool Paged(std::uint64_t after, std::vector<QueueEntry> rows);

  // True if a row with this number is on disk only, as far as the window goes.
  bool OnlyOnDisk(std::uint64_t sequence) const { return sequence > paged_up_to_; }
  // The store has deleted such a row.
  void ExpiredOnDisk(std::size_t size);

 private:
  void Trim();
  void Add(std::size_t messages, std::size_t bytes);
  void Subtract(std::size_t messages, std::size_t bytes);

  QueueId id_;
  QueueTotals* totals_;
  bool durable_ = false;
  bool page_asked_ = false;
  std::vector<QueueEntry> window_;  // entries from head_ on; not a deque: an empty one costs 600 B
  std::size_t head_ = 0;
  std::size_t on_disk_ = 0;  // entries after the window
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t paged_up_to_ = 0;  // everything up to here is in the window, in flight, or done
};

}  // namespace mig::mqtt
