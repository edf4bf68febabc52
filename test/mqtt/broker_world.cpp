#include "broker_world.h"

#include <algorithm>

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
  DropQueue(op.id);
}

void FakeStore::ApplyOne(const PutSubscription& op) {
  REQUIRE(sessions_.contains(op.subscription.session));
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
  REQUIRE(op.message->id != 0);
  auto& [message, references] = messages_[op.message->id];
  message = op.message;
  for (const Destination& d : op.destinations) {
    REQUIRE((sessions_.contains(d.queue) || groups_.contains(d.queue)));
    const bool is_new =
        rows_
            .emplace(std::pair(d.queue, d.sequence),
                     QueueEntry{d.sequence, op.message, d.qos, d.retain, d.identifiers})
            .second;
    REQUIRE(is_new);
    ++references;
  }
}

void FakeStore::ApplyOne(const Dequeue& op) {
  const auto row = rows_.find({op.queue, op.sequence});
  if (row == rows_.end()) return;
  CHECK(row->second.message->id == op.message);
  rows_.erase(row);
  Release(op.message);
}

void FakeStore::ApplyOne(const PutRetained& op) { retained_[op.message->topic] = op.message; }

void FakeStore::ApplyOne(const DropRetained& op) { retained_.erase(op.topic); }

void FakeStore::DropQueue(QueueId id) {
  for (auto row = rows_.lower_bound({id, 0}); row != rows_.end() && row->first.first == id;) {
    Release(row->second.message->id);
    row = rows_.erase(row);
  }
}

void FakeStore::Release(MessageId id) {
  const auto found = messages_.find(id);
  REQUIRE(found != messages_.end());
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
    if (row->second.message->Expired(now)) {
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
  for (const auto& [topic, message] : retained_) {
    snapshot.retained.push_back(message);
    snapshot.last_message = std::max(snapshot.last_message, message->id);
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

Client& Client::SendBytes(BytesView bytes) {
  world_.broker->Receive(id_, bytes, world_.now);
  world_.Run();
  return *this;
}

Client& Client::Send(const Packet& packet) { return SendBytes(Encode(packet, version_)); }

Client& Client::Subscribe(const std::string& filter, Qos qos) {
  mqtt::Subscribe subscribe;
  subscribe.packet_id = ++last_packet_id_;
  subscribe.entries.push_back({filter, {qos}});
  Send(subscribe);
  const auto ack = Next<SubAck>();
  CHECK(ack.packet_id == last_packet_id_);
  REQUIRE(ack.reasons.size() == 1);
  CHECK_FALSE(IsError(ack.reasons[0]));
  return *this;
}

Client& Client::Publish(const std::string& topic, const Bytes& payload, Qos qos) {
  mqtt::Publish publish;
  publish.topic = topic;
  publish.payload = payload;
  publish.qos = qos;
  if (qos != Qos::kAtMostOnce) publish.packet_id = ++last_packet_id_;
  return Send(publish);
}

Client& Client::PubAck(std::uint16_t packet_id) {
  return Send(Ack{PacketType::kPubAck, packet_id, Reason::kSuccess, {}});
}

void Client::Drop() {
  closed = true;
  world_.broker->Closed(id_, world_.now);
  world_.Run();
}

World::World(Limits limits, const Authoriser* authoriser) : limits_(limits) {
  static const AllowAll kAllowAll;
  authoriser_ = authoriser == nullptr ? &kAllowAll : authoriser;
  MakeBroker();
}

void World::MakeBroker() {
  broker = std::make_unique<Broker>(
      *authoriser_,
      Broker::Options{limits_, [this] { return "assigned-" + std::to_string(++assigned_); }});
  broker->Restore(store.Load(), now);
  Run();
}

Client& World::Open(Version version, Peer peer) {
  const ConnectionId id = ++last_connection_;
  Client& client =
      *clients_.emplace(id, std::make_unique<Client>(*this, id, version)).first->second;
  broker->Open(id, std::move(peer), now);
  Run();
  return client;
}

Client& World::Connect(mqtt::Connect connect, Peer peer) {
  Client& client = Open(connect.version, std::move(peer));
  client.Send(connect);
  return client;
}

Client& World::Join(const std::string& client_id, Version version) {
  mqtt::Connect connect;
  connect.version = version;
  connect.client_id = client_id;
  Client& client = Connect(connect);
  REQUIRE(client.Next<ConnAck>().code == 0);
  return client;
}

Client& World::JoinKept(const std::string& client_id, Version version) {
  Client& client = Connect(KeptConnect(client_id, version));
  REQUIRE(client.Next<ConnAck>().code == 0);
  return client;
}

void World::Run() {
  for (;;) {
    std::vector<Effect> effects = broker->TakeEffects();
    if (effects.empty() && (!commits || store_work_.empty())) return;
    for (Effect& effect : effects) Perform(effect);
    if (commits) Commit();
  }
}

void World::Commit() {
  std::deque<Effect> work = std::exchange(store_work_, {});
  for (Effect& effect : work) {
    if (auto* keep = std::get_if<Keep>(&effect)) {
      store.Apply(keep->batch);
      broker->Committed(keep->batch.number, now);
    } else if (auto* read = std::get_if<ReadPage>(&effect)) {
      broker->Paged(store.Read(read->request), now);
    } else if (auto* sweep = std::get_if<Sweep>(&effect)) {
      broker->Expired(store.DropExpired(sweep->now));
    }
  }
  if (!commits) Run();
}

void World::Perform(Effect& effect) {
  if (auto* send = std::get_if<Send>(&effect)) {
    Client& client = *clients_.at(send->connection);
    REQUIRE_FALSE(client.closed);
    AppendSend(client.unread, *send);
    const std::size_t size = send->Size();
    auto header = ReadFixedHeader(client.unread);
    REQUIRE(header);
    REQUIRE((*header)->PacketBytes() == client.unread.size());
    auto packet = Decode(client.unread, client.version());
    if (!packet) FAIL("the broker sent what does not decode: " << packet.error().message());
    client.inbox.push_back(std::move(*packet));
    client.unread.clear();
    if (sends) broker->Sent(client.id(), size, now);
  } else if (auto* close = std::get_if<Close>(&effect)) {
    clients_.at(close->connection)->closed = true;
  } else if (auto* reading = std::get_if<SetReading>(&effect)) {
    clients_.at(reading->connection)->reading = reading->on;
  } else if (auto* wake = std::get_if<WakeAt>(&effect)) {
    wake_ = wake->time;
  } else if (auto* note = std::get_if<Note>(&effect)) {
    notes.push_back(std::move(*note));
  } else {
    store_work_.push_back(std::move(effect));
  }
}

void World::Pass(std::chrono::milliseconds time) {
  const UtcTime end = now + time;
  while (wake_ && *wake_ <= end) {
    now = std::max(now, *wake_);
    wake_.reset();
    broker->Tick(now);
    Run();
  }
  now = end;
}

void World::Restart() {
  for (auto& [id, client] : clients_) client->closed = true;
  store_work_.clear();
  wake_.reset();
  MakeBroker();
}

Connect KeptConnect(const std::string& client_id, Version version) {
  Connect connect;
  connect.version = version;
  connect.client_id = client_id;
  connect.clean_start = false;
  if (version == Version::k5) connect.properties.Add(PropertyId::kSessionExpiryInterval, 3600);
  return connect;
}

}  // namespace mig::mqtt
