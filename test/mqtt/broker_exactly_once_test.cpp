// QoS 2 (MQTT 5.0 section 4.3.3), both ways, and over crashes between any two steps.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>

#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr auto kOnce = Qos::kExactlyOnce;

Publish MakePublish(std::uint16_t id, const Bytes& payload, bool dup = false) {
  Publish publish;
  publish.topic = "t";
  publish.qos = kOnce;
  publish.packet_id = id;
  publish.payload = payload;
  publish.dup = dup;
  return publish;
}

Ack MakeAck(PacketType type, std::uint16_t id) { return Ack{type, id, Reason::kSuccess, {}}; }

void Expect(Client& client, PacketType type, std::uint16_t id, Reason reason = Reason::kSuccess) {
  const auto ack = client.Next<Ack>();
  CHECK(ack.type == type);
  CHECK(ack.packet_id == id);
  CHECK(ack.reason == reason);
}

TEST_CASE("broker: a QoS 2 message goes through its four steps on either side", "[mqtt]") {
  const auto version = GENERATE(Version::k311, Version::k5);
  World world;
  Client& receiver = world.Join("receiver", version).Subscribe("t", kOnce);
  Client& sender = world.Join("sender", version);
  sender.Send(MakePublish(7, "x"));
  Expect(sender, PacketType::kPubRec, 7);
  const auto publish = receiver.Next<Publish>();
  CHECK(publish.qos == kOnce);
  CHECK_FALSE(publish.dup);
  sender.Send(MakeAck(PacketType::kPubRel, 7));
  Expect(sender, PacketType::kPubComp, 7);
  receiver.Send(MakeAck(PacketType::kPubRec, publish.packet_id));
  Expect(receiver, PacketType::kPubRel, publish.packet_id);
  receiver.Send(MakeAck(PacketType::kPubComp, publish.packet_id));
  CHECK(receiver.Quiet());
  CHECK(sender.Quiet());
}

TEST_CASE("broker: a QoS 2 message that is sent again before its PUBREL is passed on once",
          "[mqtt]") {
  World world;
  Client& receiver = world.Join("receiver").Subscribe("t", kOnce);
  Client& sender = world.Join("sender");
  sender.Send(MakePublish(7, "x")).Send(MakePublish(7, "x", true));
  Expect(sender, PacketType::kPubRec, 7);
  Expect(sender, PacketType::kPubRec, 7);
  CHECK(receiver.Next<Publish>().payload == "x");
  sender.Send(MakeAck(PacketType::kPubRel, 7));
  Expect(sender, PacketType::kPubComp, 7);
  sender.Send(MakePublish(7, "y"));  // free again
  Expect(sender, PacketType::kPubRec, 7);
  CHECK(receiver.Next<Publish>().payload == "y");
  CHECK(receiver.Quiet());
}

TEST_CASE("broker: identifiers that nobody knows are answered, and 5.0 is told so", "[mqtt]") {
  World world;
  Client& five = world.Join("five");
  five.Send(MakeAck(PacketType::kPubRel, 9));
  Expect(five, PacketType::kPubComp, 9, Reason::kPacketIdentifierNotFound);
  five.Send(MakeAck(PacketType::kPubRec, 9));
  Expect(five, PacketType::kPubRel, 9, Reason::kPacketIdentifierNotFound);
  five.Send(MakeAck(PacketType::kPubComp, 9));
  CHECK(five.Quiet());
  Client& three = world.Join("three", Version::k311);
  three.Send(MakeAck(PacketType::kPubRel, 9));
  Expect(three, PacketType::kPubComp, 9);
}

TEST_CASE("broker: PUBREC with an error ends the exchange, and the message is not sent again",
          "[mqtt]") {
  World world;
  Client& receiver = world.JoinKept("receiver").Subscribe("t", kOnce);
  world.Join("sender").Send(MakePublish(1, "x"));
  const auto publish = receiver.Next<Publish>();
  receiver.Send(Ack{PacketType::kPubRec, publish.packet_id, Reason::kUnspecifiedError, {}});
  CHECK(receiver.Quiet());
  receiver.Drop();
  CHECK(world.JoinKept("receiver").Quiet());
  CHECK(world.store.queued() == 0);
  CHECK(world.store.sending() == 0);
}

TEST_CASE("broker: an acknowledgement of the other QoS is a protocol error", "[mqtt]") {
  World world;
  Client& receiver = world.Join("receiver").Subscribe("t", kOnce);
  Client& sender = world.Join("sender");
  sender.Send(MakePublish(1, "x"));
  receiver.Send(MakeAck(PacketType::kPubAck, receiver.Next<Publish>().packet_id));
  CHECK(receiver.Next<Disconnect>().reason == Reason::kProtocolError);
  Client& other = world.Join("other").Subscribe("t", Qos::kAtLeastOnce);
  sender.Publish("t", "y");
  other.Send(MakeAck(PacketType::kPubRec, other.Next<Publish>().packet_id));
  CHECK(other.Next<Disconnect>().reason == Reason::kProtocolError);
}

TEST_CASE("broker: an open QoS 2 exchange counts against the receive maximum until its PUBREL",
          "[mqtt]") {
  Limits limits;
  limits.receive_maximum = 2;
  World world(limits);
  Client& sender = world.Join("sender");
  sender.Send(MakePublish(1, "x")).Send(MakePublish(2, "x"));
  sender.Send(MakeAck(PacketType::kPubRel, 1)).Send(MakePublish(3, "x"));
  sender.Send(MakePublish(2, "x", true));  // no new one
  CHECK_FALSE(sender.closed);
  sender.inbox.clear();
  sender.Send(MakePublish(4, "x"));
  CHECK(sender.Next<Disconnect>().reason == Reason::kReceiveMaximumExceeded);
}

TEST_CASE("broker: a QoS 2 message for which one receiver has no room goes to none", "[mqtt]") {
  Limits limits;
  limits.queue_messages = 1;
  World world(limits);
  world.JoinKept("full").Subscribe("t", kOnce).Drop();
  Client& sender = world.Join("sender");
  sender.Send(MakePublish(1, "x"));
  Expect(sender, PacketType::kPubRec, 1);
  Client& other = world.Join("other").Subscribe("t", kOnce);
  sender.Send(MakePublish(2, "y"));
  Expect(sender, PacketType::kPubRec, 2, Reason::kQuotaExceeded);
  CHECK(other.Quiet());
  sender.Send(MakePublish(2, "z"));  // the identifier is free
  Expect(sender, PacketType::kPubRec, 2, Reason::kQuotaExceeded);
}

TEST_CASE("broker: a QoS 2 message that cannot be retained, or not by all, goes to nobody", "[mqtt]") {
  Limits limits;
  limits.retained_messages = 0;
  limits.total_queue_messages = 1;
  World world(limits);
  Client& one = world.Join("one").Subscribe("t", kOnce);
  Client& sender = world.Join("sender");
  Publish retained = MakePublish(1, "x");
  retained.retain = true;
  sender.Send(retained);
  Expect(sender, PacketType::kPubRec, 1, Reason::kQuotaExceeded);
  CHECK(one.Quiet());
  Client& two = world.Join("two").Subscribe("t", kOnce);
  sender.Send(MakePublish(1, "x"));
  Expect(sender, PacketType::kPubRec, 1, Reason::kQuotaExceeded);
  CHECK(one.Quiet());
  CHECK(two.Quiet());
}

TEST_CASE("broker: a group's QoS 2 message stays with the member to whom it was sent", "[mqtt]") {
  World world;
  Client& first = world.JoinKept("first").Subscribe("$share/g/t", kOnce);
  world.Join("sender").Send(MakePublish(1, "x"));
  const auto publish = first.Next<Publish>();
  Client& second = world.JoinKept("second").Subscribe("$share/g/t", kOnce);
  first.Drop();
  CHECK(second.Quiet());  // [MQTT-4.8.2-5]
  Client& back = world.Connect(KeptConnect("first"));
  CHECK(back.Next<ConnAck>().session_present);
  const auto again = back.Next<Publish>();  // [MQTT-4.8.2-4]
  CHECK(again.dup);
  CHECK(again.packet_id == publish.packet_id);
  CHECK(again.payload == "x");
}

TEST_CASE("broker: a store that cannot be written is told to publishers, and taken up again",
          "[mqtt]") {
  World world;
  world.JoinKept("away").Subscribe("t", kOnce).Drop();
  Client& live = world.Join("live").Subscribe("live", kOnce);
  Client& sender = world.Join("sender");
  world.broker->StoreWritable(false);
  sender.Send(MakePublish(1, "x"));
  Expect(sender, PacketType::kPubRec, 1, Reason::kQuotaExceeded);
  sender.Publish("t", "x");
  CHECK(sender.Next<Ack>().reason == Reason::kQuotaExceeded);
  sender.Publish("live", "y");  // nothing of it is stored
  CHECK(sender.Next<Ack>().reason == Reason::kSuccess);
  CHECK(live.Next<Publish>().payload == "y");
  CHECK(world.Connect(KeptConnect("new")).Next<ConnAck>().code == 0x88);
  world.broker->StoreWritable(true);
  sender.Send(MakePublish(1, "x"));
  Expect(sender, PacketType::kPubRec, 1);
}

// A publisher that keeps the rules of section 4.3.3 over broken connections.
class Publisher {
 public:
  explicit Publisher(World& world) : world_(world) { Connect(); }

  bool connected() const { return client_ != nullptr && !client_->closed; }
  std::size_t sent() const { return sent_; }
  bool idle() const { return open_.empty(); }

  void Connect() {
    client_ = &world_.Connect(KeptConnect("publisher"));
    greeted_ = false;
  }
  void Drop() { client_->Drop(); }
  void SendNew() {
    if (!greeted_ || open_.size() >= 10) return;
    do {
      last_id_ = static_cast<std::uint16_t>(last_id_ % 15 + 1);  // soon used again
    } while (open_.contains(last_id_));
    open_[last_id_] = {sent_++, false};
    order_.push_back(last_id_);
    client_->Send(MakePublish(last_id_, std::to_string(open_[last_id_].number)));
  }
  // Takes one packet, if there is one.
  bool Step() {
    if (client_->inbox.empty()) return false;
    Packet packet = std::move(client_->inbox.front());
    client_->inbox.pop_front();
    if (const auto* welcome = std::get_if<ConnAck>(&packet)) {
      greeted_ = welcome->code == 0;
      for (const std::uint16_t id : order_) {
        const Open& open = open_.at(id);
        if (!connected()) break;
        if (open.released) {
          client_->Send(MakeAck(PacketType::kPubRel, id));
        } else {
          client_->Send(MakePublish(id, std::to_string(open.number), true));
        }
      }
    } else if (const auto* ack = std::get_if<Ack>(&packet)) {
      const auto open = open_.find(ack->packet_id);
      if (open == open_.end()) return true;
      if (ack->type == PacketType::kPubRec) {
        open->second.released = true;
        if (connected()) client_->Send(MakeAck(PacketType::kPubRel, ack->packet_id));
      } else {
        std::erase(order_, ack->packet_id);
        open_.erase(open);
      }
    }
    return true;
  }

 private:
  struct Open {
    std::size_t number = 0;
    bool released = false;
  };
  World& world_;
  Client* client_ = nullptr;
  bool greeted_ = false;
  std::map<std::uint16_t, Open> open_;
  std::vector<std::uint16_t> order_;
  std::uint16_t last_id_ = 0;
  std::size_t sent_ = 0;
};

// A subscriber that keeps them too, and remembers what it got.
class Subscriber {
 public:
  Subscriber(World& world, std::string name, const std::string& filter)
      : world_(world), name_(std::move(name)) {
    client_ = &world_.JoinKept(name_).Subscribe(filter, kOnce);
  }

  bool connected() const { return !client_->closed; }
  void Connect() { client_ = &world_.Connect(KeptConnect(name_)); }
  void Drop() { client_->Drop(); }
  bool Step() {
    if (client_->inbox.empty()) return false;
    Packet packet = std::move(client_->inbox.front());
    client_->inbox.pop_front();
    if (const auto* publish = std::get_if<Publish>(&packet)) {
      if (held_.insert(publish->packet_id).second) got.push_back(publish->payload);
      if (connected()) client_->Send(MakeAck(PacketType::kPubRec, publish->packet_id));
    } else if (const auto* ack = std::get_if<Ack>(&packet)) {
      held_.erase(ack->packet_id);
      if (connected()) client_->Send(MakeAck(PacketType::kPubComp, ack->packet_id));
    }
    return true;
  }

  std::vector<Bytes> got;

 private:
  World& world_;
  std::string name_;
  Client* client_ = nullptr;
  std::set<std::uint16_t> held_;
};

TEST_CASE("broker: QoS 2 is exactly once, in order, over crashes between any two steps", "[mqtt]") {
  const auto seed = GENERATE(range(1U, 41U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&random](std::size_t n) { return random() % n; };
  World world;
  Subscriber alone(world, "alone", "t");
  Subscriber one(world, "one", "$share/g/t");
  Subscriber two(world, "two", "$share/g/t");
  const std::vector<Subscriber*> subscribers{&alone, &one, &two};
  Publisher publisher(world);
  world.commits = false;
  const auto step_some = [&] {
    for (std::size_t n = below(4); n > 0; --n) publisher.Step();
    for (Subscriber* each : subscribers) {
      for (std::size_t n = below(4); n > 0; --n) each->Step();
    }
  };
  for (int turn = 0; turn < 1500; ++turn) {
    switch (below(12)) {
      case 0:
        if (below(8) == 0) world.Restart();
        break;
      case 1:
        if (publisher.connected()) publisher.Drop();
        break;
      case 2:
        if (Subscriber* each = subscribers[below(3)]; each->connected()) each->Drop();
        break;
      case 3:
      case 4:
        world.CommitSome(below(4));
        break;
      case 5:
        world.Commit();
        break;
      default:
        break;
    }
    step_some();  // also what was under way when a connection broke
    if (!publisher.connected() && below(3) == 0) publisher.Connect();
    for (Subscriber* each : subscribers) {
      if (!each->connected() && below(3) == 0) each->Connect();
    }
    if (publisher.connected()) publisher.SendNew();
  }
  world.commits = true;
  world.Run();
  for (int turn = 0; turn < 10'000; ++turn) {
    if (!publisher.connected()) publisher.Connect();
    bool moved = publisher.Step();
    for (Subscriber* each : subscribers) {
      if (!each->connected()) each->Connect();
      moved = each->Step() || moved;
    }
    if (!moved && publisher.idle()) break;
  }
  CHECK(publisher.idle());
  REQUIRE(publisher.sent() > 50);
  REQUIRE(alone.got.size() == publisher.sent());
  for (std::size_t i = 0; i < alone.got.size(); ++i) REQUIRE(alone.got[i] == std::to_string(i));
  std::vector<Bytes> group = one.got;
  group.insert(group.end(), two.got.begin(), two.got.end());
  CHECK(group.size() == publisher.sent());
  CHECK(std::set<Bytes>(group.begin(), group.end()).size() == publisher.sent());
  CHECK(world.store.queued() == 0);
  CHECK(world.store.messages() == 0);
  CHECK(world.store.sending() == 0);
  CHECK(world.store.received() == 0);
}

}  // namespace
}  // namespace mig::mqtt
