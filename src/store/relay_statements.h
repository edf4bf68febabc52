// The SQL of the relay's database, one function for each operation that a broker keeps. Only for
// store/relay_db.cpp: transactions are its matter.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "mqtt/keeper.h"
#include "store/relay_db.h"
#include "store/sqlite.h"

namespace mig::store {

struct RelayDb::Statements {
  static Expected<std::unique_ptr<Statements>> Prepare(Database& database);

  // The operations of some batches in order, within the caller's transaction.
  Expected<void> Apply(const std::vector<mqtt::KeepBatch>& batches);
  Expected<mqtt::Page> Page(const mqtt::PageRequest& request);
  // At most so many rows.
  Expected<std::vector<mqtt::ExpiredRow>> Expire(UtcTime now, std::size_t limit);

  // Queues that a transaction dropped but for rows that were too many for it: after it is committed
  // they are to be deleted with DropSlice.
  std::vector<mqtt::QueueId> TakeDropped() { return std::exchange(dropped_, {}); }
  // The same as a start finds them.
  Expected<std::vector<mqtt::QueueId>> DroppedQueues();
  // True: nothing is left of it.
  Expected<bool> DropSlice(mqtt::QueueId id, std::size_t limit);

 private:
  using RowKey = std::pair<mqtt::QueueId, std::uint64_t>;
  using PacketKey = std::pair<mqtt::QueueId, std::uint16_t>;

  Expected<void> Apply(const mqtt::PutSession& op);
  Expected<void> Apply(const mqtt::DropSession& op);
  Expected<void> Apply(const mqtt::PutSubscription& op);
  Expected<void> Apply(const mqtt::DropSubscription& op);
  Expected<void> Apply(const mqtt::PutGroup& op);
  Expected<void> Apply(const mqtt::DropGroup& op);
  Expected<void> Apply(const mqtt::Enqueue& op);
  Expected<void> Apply(const mqtt::Dequeue& op);
  Expected<void> Apply(const mqtt::PutRetained& op);
  Expected<void> Apply(const mqtt::DropRetained& op);
  Expected<void> Apply(const mqtt::PutReceived& op);
  Expected<void> Apply(const mqtt::DropReceived& op);
  Expected<void> Apply(const mqtt::PutSending& op);
  Expected<void> Apply(const mqtt::PutReleased& op);
  Expected<void> Apply(const mqtt::DropSending& op);
  Expected<void> DropQueue(mqtt::QueueId id);
  // Number of rows.
  Expected<std::size_t> DropRows(mqtt::QueueId id, std::size_t limit);
  Expected<void> ReleaseMessages();
  Expected<void> WriteExchanges();

  Statement put_session_, drop_session_, drop_subscriptions_;
  Statement put_subscription_, drop_subscription_;
  Statement put_group_, drop_group_;
  Statement put_message_, put_row_, drop_row_, rows_of_queue_, drop_rows_;
  Statement put_dropped_, drop_dropped_, dropped_queues_;
  Statement release_, drop_message_;
  Statement put_retained_, drop_retained_;
  Statement put_received_, drop_received_, drop_all_received_;
  Statement put_sending_, drop_sending_, drop_all_sending_;
  Statement page_, expired_;

  // Within one Apply: rows that are both queued and done with, and how many rows each message lost.
  std::set<RowKey> elided_;
  std::map<mqtt::MessageId, std::int64_t> released_;
  // And what each packet identifier of QoS 2 comes to: with clients that answer, most are taken and
  // given back within one group.
  std::map<PacketKey, bool> received_;
  std::map<PacketKey, std::optional<std::uint64_t>> sending_;  // the row's sequence; nothing: gone
  std::size_t may_drop_ = 0;                                   // rows of dropped queues
  std::vector<mqtt::QueueId> dropped_;
  std::int64_t now_ = 0;  // of this Apply: when its messages were stored
  const Database* database_ = nullptr;
};

}  // namespace mig::store
