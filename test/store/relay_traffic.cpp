#include "test/store/relay_traffic.h"

#include <algorithm>

namespace mig::store {

using namespace mqtt;
using namespace std::chrono_literals;

MessageRef RelayTraffic::NewMessage() {
  auto message = std::make_shared<Message>();
  message->id = ++last_message_;
  message->topic = "t/" + std::to_string(Below(10));
  // From nothing to more than a page of the database.
  message->payload = Bytes(Below(4) == 0 ? Below(9000) : Below(200), static_cast<char>(random_()));
  message->qos = static_cast<Qos>(1 + Below(2));
  if (Below(3) == 0) message->expires_at = now_ + std::chrono::seconds(Below(20));
  return message;
}

void RelayTraffic::DropQueue(QueueId id) {
  std::erase_if(rows_, [id](const auto& row) { return row.second.queue == id; });
  std::erase_if(sending_, [id](const Exchange& each) { return each.session == id; });
  std::erase_if(received_, [id](const auto& each) { return each.first == id; });
}

std::optional<std::size_t> RelayTraffic::IdleRow(bool of_session) {
  if (rows_.empty()) return std::nullopt;
  auto at = std::next(rows_.begin(), Below(rows_.size()));
  for (; at != rows_.end(); ++at) {
    const bool is_session = std::ranges::find(sessions_, at->second.queue) != sessions_.end();
    if (!at->second.sending && (is_session || !of_session)) return at->first;
  }
  return std::nullopt;
}

void RelayTraffic::AddSession(std::vector<KeepOperation>& operations) {
  const auto record = [this](QueueId id) {
    SessionRecord session;
    session.id = id;
    session.client_id = "client-" + std::to_string(id);
    session.role = "agent";
    session.expiry = std::chrono::seconds(Below(10'000));
    if (Below(2) == 0) session.away_since = now_;
    if (Below(3) == 0) session.will = Will{"gone", Bytes(Below(300), 'w'), Qos{}, false, {}};
    return session;
  };
  const std::uint32_t choice = Below(12);
  if (sessions_.size() < 3 || choice == 0) {
    sessions_.push_back(++last_queue_);
    operations.emplace_back(PutSession{record(last_queue_)});
  } else if (choice == 1 && sessions_.size() > 5) {
    const std::size_t which = Below(sessions_.size());
    operations.emplace_back(DropSession{sessions_[which]});
    DropQueue(sessions_[which]);
    sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(which));
  } else if (choice == 2) {
    groups_.push_back(++last_queue_);
    operations.emplace_back(PutGroup{{last_queue_, "$share/g/" + std::to_string(last_queue_)}});
  } else if (choice == 3 && groups_.size() > 2) {
    operations.emplace_back(DropGroup{groups_.back()});
    DropQueue(groups_.back());
    groups_.pop_back();
  } else if (choice < 7) {
    operations.emplace_back(PutSession{record(sessions_[Below(sessions_.size())])});
  } else {
    const QueueId session = sessions_[Below(sessions_.size())];
    const std::string filter = "f/" + std::to_string(Below(6));
    if (choice < 10) {
      SubscribeOptions options;
      options.qos = static_cast<Qos>(Below(3));
      operations.emplace_back(PutSubscription{{session, filter, options, Below(100)}});
    } else {
      operations.emplace_back(DropSubscription{session, filter});
    }
  }
}

void RelayTraffic::AddMessage(std::vector<KeepOperation>& operations) {
  const std::uint32_t choice = Below(10);
  if (choice == 0) {
    retained_.push_back(NewMessage());
    operations.emplace_back(PutRetained{{retained_.back(), "api", "api-1"}});
  } else if (choice == 1 && !retained_.empty()) {
    operations.emplace_back(DropRetained{retained_[Below(retained_.size())]->topic});
  } else if (choice < 7) {
    // One that is retained may be queued again whenever somebody subscribes.
    const MessageRef message =
        !retained_.empty() && Below(6) == 0 ? retained_[Below(retained_.size())] : NewMessage();
    Enqueue enqueue{message, {}};
    std::vector<QueueId> queues = sessions_;
    queues.insert(queues.end(), groups_.begin(), groups_.end());
    std::ranges::shuffle(queues, random_);
    queues.resize(std::min<std::size_t>(queues.size(), 1 + Below(4)));
    for (const QueueId queue : queues) {
      const std::uint64_t sequence = ++sequences_[queue];
      Destination destination{queue, sequence, message->qos, Below(2) == 0, {}};
      if (Below(3) == 0) destination.identifiers = {Below(1000), 268'435'455};
      enqueue.destinations.push_back(std::move(destination));
      rows_[++last_row_] = {queue, sequence, message->id, message->expires_at, false};
    }
    operations.emplace_back(std::move(enqueue));
  } else if (const auto row = IdleRow(false)) {
    const Row& r = rows_[*row];
    operations.emplace_back(Dequeue{r.queue, r.sequence, r.message});
    rows_.erase(*row);
  }
}

void RelayTraffic::AddExchange(std::vector<KeepOperation>& operations) {
  const std::uint32_t choice = Below(5);
  if (choice == 0) {
    const QueueId session = sessions_[Below(sessions_.size())];
    const auto id = static_cast<std::uint16_t>(1 + Below(50));
    if (received_.emplace(session, id).second) operations.emplace_back(PutReceived{session, id});
  } else if (choice == 1 && !received_.empty()) {
    const auto at = std::next(received_.begin(), Below(received_.size()));
    operations.emplace_back(DropReceived{at->first, at->second});
    received_.erase(at);
  } else if (choice == 2) {
    const auto row = IdleRow(true);
    if (!row) return;
    Row& r = rows_[*row];
    const auto id = static_cast<std::uint16_t>(1 + Below(60'000));
    const auto taken = [&](const Exchange& e) { return e.session == r.queue && e.packet_id == id; };
    if (std::ranges::any_of(sending_, taken)) return;
    r.sending = true;
    sending_.push_back({r.queue, id, *row});
    operations.emplace_back(PutSending{r.queue, id, r.sequence});
  } else if (!sending_.empty()) {
    const std::size_t which = Below(sending_.size());
    Exchange& e = sending_[which];
    if (e.row) {
      const Row r = rows_[*e.row];
      rows_.erase(*e.row);
      e.row.reset();
      operations.emplace_back(PutReleased{e.session, e.packet_id, r.sequence, r.message});
    } else {
      operations.emplace_back(DropSending{e.session, e.packet_id});
      sending_.erase(sending_.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
}

void RelayTraffic::AddOperations(std::vector<KeepOperation>& operations) {
  const std::uint32_t choice = Below(10);
  if (sessions_.size() < 3 || choice == 0) return AddSession(operations);
  if (choice < 7) return AddMessage(operations);
  AddExchange(operations);
}

RelayStep RelayTraffic::Next() {
  now_ += 1s;
  if (Below(40) == 0) {
    std::erase_if(rows_, [this](const auto& row) {
      return !row.second.sending && row.second.expires_at && *row.second.expires_at <= now_;
    });
    return now_;
  }
  KeepBatch batch;
  batch.number = ++last_batch_;
  const std::size_t wanted = 1 + Below(6);
  while (batch.operations.size() < wanted) AddOperations(batch.operations);
  return batch;
}

}  // namespace mig::store
