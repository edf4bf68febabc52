// A store for tests of the broker: what it was told to keep, in maps. It checks what a real store
// takes for granted, and aborts where the broker breaks it: rows only for queues that exist, no row
// twice, no message without its rows.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "mqtt/keeper.h"

namespace mig::mqtt {

// The rows that a store would have. Operations are applied when they are committed.
class FakeStore {
 public:
  void Apply(const KeepBatch& batch);
  Page Read(const PageRequest& request) const;
  std::vector<ExpiredRow> DropExpired(UtcTime now);
  Snapshot Load() const;

  std::size_t queued() const { return rows_.size(); }
  std::size_t messages() const { return messages_.size(); }
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t received() const { return received_.size(); }
  std::size_t sending() const { return sending_.size(); }
  const SessionRecord* FindSession(std::string_view client_id) const;

 private:
  void ApplyOne(const PutSession& op);
  void ApplyOne(const DropSession& op);
  void ApplyOne(const PutSubscription& op);
  void ApplyOne(const DropSubscription& op);
  void ApplyOne(const PutGroup& op);
  void ApplyOne(const DropGroup& op);
  void ApplyOne(const Enqueue& op);
  void ApplyOne(const Dequeue& op);
  void ApplyOne(const PutRetained& op);
  void ApplyOne(const DropRetained& op);
  void ApplyOne(const PutReceived& op);
  void ApplyOne(const DropReceived& op);
  void ApplyOne(const PutSending& op);
  void ApplyOne(const PutReleased& op);
  void ApplyOne(const DropSending& op);
  void DropQueue(QueueId id);
  void Release(MessageId id);

  std::map<QueueId, SessionRecord> sessions_;
  std::map<std::pair<QueueId, std::string>, SubscriptionRecord> subscriptions_;
  std::map<QueueId, GroupRecord> groups_;
  std::map<std::pair<QueueId, std::uint64_t>, QueueEntry> rows_;
  std::map<MessageId, std::pair<MessageRef, int>> messages_;
  std::map<std::string, RetainedRecord> retained_;
  std::set<std::pair<QueueId, std::uint16_t>> received_;
  std::map<std::pair<QueueId, std::uint16_t>, std::uint64_t> sending_;  // sequence; 0: released
};

}  // namespace mig::mqtt
