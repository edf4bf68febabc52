#include "test/mqtt/fake_store.h"

#include <algorithm>

#include "test/fuzz/require.h"

namespace mig::mqtt {

void FakeStore::Apply(const KeepBatch& batch) {
  for (const KeepOperation& operation : batch.operations) {
    std::visit([this](const auto& op) { ApplyOne(op); }, operation);
  }
}

void FakeStore::ApplyOne(const PutSession& op) { sessions_[op.session.id] = op.session; }

void FakeStore::ApplyOne(const DropSession& op) {
  sessions_.erase(op.id);
  std::erase_if(subscriptions_, [&](const auto& row) { return row.first.first == op.id; });
  std::erase_if(received_, [&](const auto& row) { return row.first == op.id; });
  std::erase_if(sending_, [&](const auto& row) { return row.first.first == op.id; });
  DropQueue(op.id);
}

void FakeStore::ApplyOne(const PutSubscription& op) {
  fuzz::Require(sessions_.contains(op.subscription.session), "a subscription has its session");
  subscriptions_[{op.subscription.session, op.subscription.filter}] = op.subscription;
}

void FakeStore::ApplyOne(const DropSubscription& op) {
  subscriptions_.erase({op.session, op.filter});
}

void FakeStore::ApplyOne(const PutGroup& op) { groups_[op.group.id] = op.group; }

void FakeStore::ApplyOne(const DropGroup& op) {
  groups_.erase(op.id);
  DropQueue(op.id);
}

void FakeStore::ApplyOne(const Enqueue& op) {
  fuzz::Require(op.message->id != 0, "a stored message has an id");
  auto& [message, references] = messages_[op.message->id];
  message = op.message;
  for (const Destination& d : op.destinations) {
    fuzz::Require(sessions_.contains(d.queue) || groups_.contains(d.queue), "a row has its queue");
    const bool is_new =
        rows_
            .emplace(std::pair(d.queue, d.sequence),
                     QueueEntry{d.sequence, op.message, d.qos, d.retain, d.identifiers})
            .second;
    fuzz::Require(is_new, "a row is stored once");
    ++references;
  }
}

void FakeStore::ApplyOne(const Dequeue& op) {
  const auto row = rows_.find({op.queue, op.sequence});
  if (row == rows_.end()) return;
  fuzz::Require(row->second.message->id == op.message, "a row is taken off by its message");
  rows_.erase(row);
  Release(op.message);
}

void FakeStore::ApplyOne(const PutRetained& op) {
  retained_[op.retained.message->topic] = op.retained;
}

void FakeStore::ApplyOne(const DropRetained& op) { retained_.erase(op.topic); }

void FakeStore::ApplyOne(const PutReceived& op) {
  fuzz::Require(sessions_.contains(op.session), "a packet identifier has its session");
  fuzz::Require(received_.emplace(op.session, op.packet_id).second, "a message is taken once");
}

void FakeStore::ApplyOne(const DropReceived& op) { received_.erase({op.session, op.packet_id}); }

void FakeStore::ApplyOne(const PutSending& op) {
  fuzz::Require(rows_.contains({op.session, op.sequence}), "what is sent has its row");
  const bool is_new = sending_.emplace(std::pair(op.session, op.packet_id), op.sequence).second;
  fuzz::Require(is_new, "a packet identifier is used for one message at a time");
}

void FakeStore::ApplyOne(const PutReleased& op) {
  const auto found = sending_.find({op.session, op.packet_id});
  fuzz::Require(found != sending_.end() && found->second == op.sequence,
                "what is released was being sent");
  found->second = 0;
  ApplyOne(Dequeue{op.session, op.sequence, op.message});
}

void FakeStore::ApplyOne(const DropSending& op) { sending_.erase({op.session, op.packet_id}); }

void FakeStore::DropQueue(QueueId id) {
  for (auto row = rows_.lower_bound({id, 0}); row != rows_.end() && row->first.first == id;) {
    Release(row->second.message->id);
    row = rows_.erase(row);
  }
}

void FakeStore::Release(MessageId id) {
  const auto found = messages_.find(id);
  fuzz::Require(found != messages_.end(), "a row has its message");
  if (--found->second.second == 0) messages_.erase(found);
}

Page FakeStore::Read(const PageRequest& request) const {
  Page page{request, {}};
  for (auto row = rows_.lower_bound({request.queue, request.after + 1});
       row != rows_.end() && row->first.first == request.queue &&
       page.rows.size() < request.entries;
       ++row) {
    page.rows.push_back(row->second);
  }
  return page;
}

std::vector<ExpiredRow> FakeStore::DropExpired(UtcTime now) {
  std::vector<ExpiredRow> expired;
  for (auto row = rows_.begin(); row != rows_.end();) {
    const bool sent = std::ranges::any_of(sending_, [&](const auto& each) {
      return std::pair(each.first.first, each.second) == row->first;
    });
    if (row->second.message->Expired(now) && !sent) {
      expired.push_back({row->first.first, row->first.second, row->second.message->Size()});
      Release(row->second.message->id);
      row = rows_.erase(row);
    } else {
      ++row;
    }
  }
  return expired;
}

Snapshot FakeStore::Load() const {
  Snapshot snapshot;
  for (const auto& [id, session] : sessions_) {
    snapshot.sessions.push_back(session);
    snapshot.last_queue = std::max(snapshot.last_queue, id);
  }
  for (const auto& [key, subscription] : subscriptions_) {
    snapshot.subscriptions.push_back(subscription);
  }
  for (const auto& [id, group] : groups_) {
    snapshot.groups.push_back(group);
    snapshot.last_queue = std::max(snapshot.last_queue, id);
  }
  for (const auto& [key, entry] : rows_) {
    if (snapshot.queues.empty() || snapshot.queues.back().id != key.first) {
      snapshot.queues.push_back({key.first, 0, 0, 0});
    }
    QueueSummary& queue = snapshot.queues.back();
    ++queue.messages;
    queue.bytes += entry.message->Size();
    queue.last_sequence = key.second;
  }
  for (const auto& [topic, retained] : retained_) {
    snapshot.retained.push_back(retained);
    snapshot.last_message = std::max(snapshot.last_message, retained.message->id);
  }
  for (const auto& [session, packet_id] : received_) {
    snapshot.received.push_back({session, packet_id});
  }
  for (const auto& [key, sequence] : sending_) {
    SendingRecord record{key.first, key.second, sequence};
    if (const auto row = rows_.find({key.first, sequence}); row != rows_.end()) {
      record.message = row->second.message->id;
      record.size = row->second.message->Size();
    }
    snapshot.sending.push_back(record);
  }
  for (const auto& [id, message] : messages_) {
    snapshot.last_message = std::max(snapshot.last_message, id);
  }
  return snapshot;
}

const SessionRecord* FakeStore::FindSession(std::string_view client_id) const {
  for (const auto& [id, session] : sessions_) {
    if (session.client_id == client_id) return &session;
  }
  return nullptr;
}

}  // namespace mig::mqtt
