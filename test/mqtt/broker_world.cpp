#include "test/mqtt/broker_world.h"

#include <algorithm>

namespace mig::mqtt {

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

World::World(Limits limits, const Authoriser* authoriser, std::chrono::seconds sys_interval)
    : limits_(limits), sys_interval_(sys_interval) {
  static const AllowAll kAllowAll;
  authoriser_ = authoriser == nullptr ? &kAllowAll : authoriser;
  MakeBroker();
}

void World::MakeBroker() {
  broker = std::make_unique<Broker>(
      *authoriser_,
      Broker::Options{limits_, [this] { return "assigned-" + std::to_string(++assigned_); },
                      sys_interval_});
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

void World::Commit() { CommitSome(store_work_.size()); }

void World::CommitSome(std::size_t effects) {
  for (; effects > 0 && !store_work_.empty(); --effects) {
    Effect effect = std::move(store_work_.front());
    store_work_.pop_front();
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
