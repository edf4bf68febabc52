// Known flaws of other brokers, tried on the core: by the number under which each became known.
// What sockets, files and TLS have to do with is in test/net/hostile_clients_test.cpp.
#include <catch2/catch.hpp>
#include <random>

#include "mqtt/codec.h"
#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;
constexpr auto k3 = Version::k311;
constexpr auto k5 = Version::k5;

// A watcher that must still get a message from somebody else.
class Others {
 public:
  explicit Others(World& world) : watcher_(world.Join("watcher")), publisher_(world.Join("other")) {
    watcher_.Subscribe("others");
  }
  void AreServed() {
    publisher_.Publish("others", "x");
    CHECK(publisher_.Next<Ack>().reason == Reason::kSuccess);
    const auto message = watcher_.Next<Publish>();
    CHECK(message.payload == "x");
    watcher_.PubAck(message.packet_id);
  }

 private:
  Client& watcher_;
  Client& publisher_;
};

// The rights of a moment, as a test changes them.
struct Rights final : AllowAll {
  bool MayPublish(const Peer&, std::string_view, bool) const override { return publish; }
  bool MaySubscribe(const Peer&, std::string_view) const override { return subscribe; }
  bool publish = true;
  bool subscribe = true;
};

Bytes Filter65535(char c) { return Bytes(65'535, c); }

Bytes WithLength(const Bytes& text) {
  return Bytes{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)} + text;
}

Bytes PacketBytes(char first_byte, const Bytes& body) {
  Bytes packet(1, first_byte);
  for (std::size_t left = body.size();;) {
    const auto low = static_cast<char>(left & 0x7F);
    left >>= 7;
    packet += left > 0 ? static_cast<char>(low | 0x80) : low;
    if (left == 0) return packet + body;
  }
}

TEST_CASE("hostile packets: each ends its connection, and only that", "[mqtt]") {
  struct Case {
    const char* flaw;
    Bytes bytes;
    Reason reason;
  };
  for (const Case& each : {
           Case{"CVE-2021-28166: CONNACK from a client", Bytes("\x20\x03\x00\x00\x00", 5),
                Reason::kProtocolError},
           Case{"CVE-2024-10525: SUBACK without codes", Bytes("\x90\x03\x00\x01\x00", 5),
                Reason::kProtocolError},
           Case{"UNSUBACK from a client", Bytes("\xb0\x04\x00\x01\x00\x00", 6),
                Reason::kProtocolError},
           Case{"CVE-2021-34432: PUBLISH to a topic of no length", Bytes("\x30\x03\x00\x00\x00", 5),
                Reason::kProtocolError},
           Case{"CVE-2019-11779: PUBLISH to 65,535 slashes",
                PacketBytes('\x30', WithLength(Filter65535('/')) + Bytes(1, '\0')),
                Reason::kTopicNameInvalid},
           Case{"PUBLISH to a wildcard", Bytes("\x30\x04\x00\x01#\x00", 6),
                Reason::kTopicNameInvalid},
           Case{"CVE-2024-8376: SUBSCRIBE without a filter", Bytes("\x82\x03\x00\x01\x00", 5),
                Reason::kProtocolError},
           Case{"CVE-2024-8376: UNSUBSCRIBE without a filter", Bytes("\xa2\x03\x00\x01\x00", 5),
                Reason::kProtocolError},
           Case{"SUBSCRIBE with packet identifier 0", Bytes("\x82\x07\x00\x00\x00\x00\x01t\x00", 9),
                Reason::kProtocolError},
           Case{"a length in five bytes", Bytes("\x30\xff\xff\xff\xff\x7f", 6),
                Reason::kMalformedPacket},
       }) {
    INFO(each.flaw);
    World world;
    Others others(world);
    Client& client = world.Join("a");
    client.SendBytes(each.bytes);
    CHECK(client.closed);
    REQUIRE_FALSE(client.inbox.empty());
    const auto reason = client.Next<Disconnect>().reason;
    // Whether a form is malformed or against the protocol is often both.
    CHECK((reason == each.reason ||
           (each.reason == Reason::kProtocolError && reason == Reason::kMalformedPacket)));
    others.AreServed();
    CHECK(world.broker->connections() == 2);
  }
}

TEST_CASE("hostile packets: CVE-2021-28166: what only servers send is no greeting", "[mqtt]") {
  for (const BytesView bytes : {BytesView("\x20\x02\x00\x00", 4), BytesView("\xd0\x00", 2),
                                BytesView("\x90\x03\x00\x01\x00", 5)}) {
    World world;
    Client& stranger = world.Open();
    stranger.SendBytes(bytes);
    CHECK(stranger.closed);
    CHECK(stranger.inbox.empty());
  }
}

TEST_CASE("hostile packets: CVE-2019-11779: 65,535 slashes are refused as filter and will",
          "[mqtt]") {
  World world;
  Others others(world);
  Client& client = world.Join("a");
  for (const Bytes& filter : {Filter65535('/'), "$share/g/" + Bytes(60'000, '/'),
                              Bytes(1000, '/') + "#", Bytes("+") + Bytes(30'000, '/')}) {
    Subscribe subscribe;
    subscribe.packet_id = 1;
    subscribe.entries = {{filter, {}}};
    client.Send(subscribe);
    CHECK(client.Next<SubAck>().reasons == std::vector{Reason::kTopicFilterInvalid});
    Unsubscribe unsubscribe;
    unsubscribe.packet_id = 2;
    unsubscribe.filters = {filter};
    client.Send(unsubscribe);
    CHECK(client.Next<UnsubAck>().reasons.size() == 1);
  }
  Connect connect;
  connect.client_id = "b";
  connect.will = Will{Bytes(7000, '/'), "x", Qos::kAtMostOnce, false, {}};
  CHECK(world.Connect(connect).Next<ConnAck>().code ==
        static_cast<std::uint8_t>(Reason::kTopicNameInvalid));
  others.AreServed();
}

TEST_CASE("hostile packets: CVE-2021-41039: user properties without end are refused", "[mqtt]") {
  World world;
  Others others(world);
  Connect connect;
  connect.client_id = "many";
  for (int i = 0; i < 1200; ++i) connect.properties.AddUser("k", "v");
  Client& stranger = world.Connect(connect);
  CHECK(stranger.closed);  // within 8 KiB, but for nothing
  // 180,000 in one packet: were each compared with each, this would not end.
  Client& client = world.Join("a");
  Publish publish;
  publish.topic = "t";
  for (int i = 0; i < 140'000; ++i) publish.properties.AddUser("k", "v");
  client.Send(publish);
  CHECK(client.Next<Disconnect>().reason == Reason::kQuotaExceeded);
  others.AreServed();
}

TEST_CASE("hostile packets: CVE-2023-28366: QoS 2 messages sent again and again are kept once",
          "[mqtt]") {
  World world;
  Others others(world);
  Client& watcher = world.Join("w");
  watcher.Subscribe("t");
  Client& client = world.JoinKept("a");
  Publish publish;
  publish.topic = "t";
  publish.payload = Bytes(1000, 'x');
  publish.qos = Qos::kExactlyOnce;
  publish.packet_id = 7;
  for (int i = 0; i < 5000; ++i) {
    publish.dup = i > 0;
    client.Send(publish);
    CHECK(client.Next<Ack>().type == PacketType::kPubRec);
  }
  CHECK(watcher.inbox.size() == 1);
  // Different identifiers, none of them released: at the receive maximum it is over.
  int sent = 0;
  publish.dup = false;
  while (!client.closed && sent < 1000) {
    publish.packet_id = static_cast<std::uint16_t>(100 + sent++);
    client.Send(publish);
  }
  CHECK(sent == 32);  // with the one that is open
  others.AreServed();
}

TEST_CASE("hostile packets: CVE-2023-3592: a will with wrong properties leaves nothing behind",
          "[mqtt]") {
  World world;
  Others others(world);
  // Will properties with a topic alias, which only PUBLISH may have.
  const Bytes will_properties("\x03\x23\x00\x01", 4);
  const Bytes body = WithLength("MQTT") + Bytes("\x05\x04\x00\x3c\x00", 5) + WithLength("a") +
                     will_properties + WithLength("t") + WithLength("x");
  for (int i = 0; i < 1000; ++i) {
    Client& stranger = world.Open();
    stranger.SendBytes(PacketBytes('\x10', body));
    CHECK(stranger.closed);
  }
  CHECK(world.broker->connections() == 2);
  CHECK(world.broker->sessions() == 2);
  others.AreServed();
}

TEST_CASE("hostile packets: CVE-2018-12543: topics that begin with $ are ordinary or nobody's",
          "[mqtt]") {
  World world;
  Client& watcher = world.Join("w");
  watcher.Subscribe("#");
  Client& client = world.Join("a");
  for (const char* topic :
       {"$", "$x", "$/", "$SYS", "$SYS/broker/uptime", "$share", "$share/g/t"}) {
    client.Publish(topic, "x");
    CHECK_FALSE(client.closed);
    client.Next<Ack>();
  }
  CHECK(watcher.Quiet());  // [MQTT-4.7.2-1]
}

TEST_CASE("hostile packets: CVE-2017-7650: names that would widen rights are refused", "[mqtt]") {
  World world;
  for (const char* id : {"#", "+", "a/#", "a+b", "\x01", "a\x7f"}) {
    Connect connect;
    connect.client_id = id;
    Client& client = world.Connect(connect);
    CHECK(client.Next<ConnAck>().code ==
          static_cast<std::uint8_t>(Reason::kClientIdentifierNotValid));
    CHECK(client.closed);
  }
}

TEST_CASE("hostile packets: CVE-2018-12546: retained messages end with their publisher's right",
          "[mqtt]") {
  Rights rights;
  World world({}, &rights);
  Client& publisher = world.Join("p");
  Publish publish;
  publish.topic = "t";
  publish.payload = "x";
  publish.retain = true;
  publisher.Send(publish);
  rights.publish = false;
  Client& late = world.Join("late");
  late.Subscribe("t");
  CHECK(late.Quiet());
  world.Restart();  // nor does it come back
  Client& later = world.Join("later");
  later.Subscribe("t");
  CHECK(later.Quiet());
}

TEST_CASE("hostile packets: CVE-2021-34434: a subscription ends with its right", "[mqtt]") {
  Rights rights;
  World world({}, &rights);
  Client& client = world.JoinKept("a");
  client.Subscribe("t");
  client.Drop();
  Client& publisher = world.Join("p");
  publisher.Publish("t", "before");
  rights.subscribe = false;
  Client& back = world.Connect(KeptConnect("a"));
  CHECK(back.Next<ConnAck>().session_present);
  CHECK(back.Quiet());
  publisher.Publish("t", "after");
  CHECK(back.Quiet());
  world.Restart();
  Client& again = world.Connect(KeptConnect("a"));
  CHECK(again.Next<ConnAck>().session_present);
  CHECK(again.Quiet());
}

TEST_CASE("hostile packets: CVE-2020-13849: no keep alive holds a connection for ever", "[mqtt]") {
  for (const auto version : {k3, k5}) {
    for (const std::uint16_t seconds : {0, 65'535}) {
      World world;
      Connect connect;
      connect.version = version;
      connect.client_id = "a";
      connect.keep_alive_seconds = seconds;
      Client& client = world.Connect(connect);
      const auto answer = client.Next<ConnAck>();
      if (version == k5) {
        CHECK(answer.properties.Number(PropertyId::kServerKeepAlive) == 1200U);
      }
      world.Pass(1799s);
      CHECK_FALSE(client.closed);
      world.Pass(2s);
      CHECK(client.closed);
    }
  }
}

TEST_CASE("hostile packets: a packet that never ends is silence", "[mqtt]") {
  World world;
  Connect connect;
  connect.client_id = "a";
  connect.keep_alive_seconds = 10;
  Client& client = world.Connect(connect);
  client.Next<ConnAck>();
  client.SendBytes(BytesView("\x30\xff\xff\x0f", 4));
  for (int i = 0; i < 16 && !client.closed; ++i) {
    world.Pass(1s);
    if (!client.closed) client.SendBytes("x");
  }
  CHECK(client.closed);
}

TEST_CASE("hostile packets: CVE-2025-68699: a share name without a filter is no filter", "[mqtt]") {
  World world;
  Client& client = world.Join("a");
  const std::vector<std::string> filters{"$share",     "$share/",      "$share/ab",
                                         "$share/ab/", "$share//t",    "$share/+/t",
                                         "$share/#",   "$share/a#b/t", "$share/g/#/t"};
  for (const std::string& filter : filters) {
    INFO(filter);
    Subscribe subscribe;
    subscribe.packet_id = 1;
    subscribe.entries = {{filter, {}}};
    client.Send(subscribe);
    CHECK(client.Next<SubAck>().reasons == std::vector{Reason::kTopicFilterInvalid});
  }
  client.Publish("ab", "x");
  CHECK_FALSE(client.closed);
}

TEST_CASE("hostile packets: CVE-2026-42209: a group whose members all leave divides by nothing",
          "[mqtt]") {
  World world;
  Others others(world);
  Client& publisher = world.Join("p");
  for (int round = 0; round < 20; ++round) {
    Client& one = world.JoinKept("one");
    one.inbox.clear();  // what it had begun to receive in the round before
    Client& two = world.Join("two");
    one.Subscribe("$share/g/t");
    two.Subscribe("$share/g/t");
    publisher.Publish("t", "x", Qos::kAtMostOnce);
    publisher.Publish("t", "x");
    two.Drop();
    publisher.Publish("t", "y");
    Unsubscribe unsubscribe;
    unsubscribe.packet_id = 9;
    unsubscribe.filters = {"$share/g/t"};
    one.Send(unsubscribe);
    publisher.Publish("t", "z", Qos::kAtMostOnce);
    publisher.Publish("t", "z");
    one.Drop();
  }
  CHECK_FALSE(publisher.closed);
  others.AreServed();
}

TEST_CASE("hostile packets: CVE-2026-6564: somebody else's session is not to be had", "[mqtt]") {
  World world;
  const Peer owner{"agent", "owner", "192.0.2.1"};
  Client& mine = world.Connect(KeptConnect("s"), owner);
  mine.Next<ConnAck>();
  mine.Subscribe("secret");
  const Peer others[] = {{"agent", "thief", "192.0.2.2"}, {"api", "owner", "192.0.2.1"}};
  for (const bool connected : {true, false}) {
    for (const Peer& thief : others) {
      for (const bool clean : {false, true}) {
        Connect connect = KeptConnect("s");
        connect.clean_start = clean;
        Client& client = world.Connect(connect, thief);
        CHECK(client.Next<ConnAck>().code == static_cast<std::uint8_t>(Reason::kNotAuthorized));
        CHECK(client.closed);
      }
    }
    CHECK(mine.closed == !connected);  // not even pushed out
    if (connected) mine.Drop();
  }
  world.Join("p").Publish("secret", "x");
  Client& back = world.Connect(KeptConnect("s"), owner);
  CHECK(back.Next<ConnAck>().session_present);
  CHECK(back.Next<Publish>().payload == "x");
}

TEST_CASE("hostile packets: CVE-2026-8741: a QoS 2 exchange taken over midway delivers once",
          "[mqtt]") {
  World world;
  Client& watcher = world.Join("w");
  watcher.Subscribe("t");
  Publish publish;
  publish.topic = "t";
  publish.payload = "x";
  publish.qos = Qos::kExactlyOnce;
  publish.packet_id = 5;
  for (int rivals = 0; rivals < 10; ++rivals) {
    Client& client = world.JoinKept("a");  // pushes out the one before
    publish.dup = rivals > 0;
    client.Send(publish);
    CHECK(client.Next<Ack>().type == PacketType::kPubRec);
  }
  Client& last = world.JoinKept("a");
  last.Send(Ack{PacketType::kPubRel, 5, Reason::kSuccess, {}});
  CHECK(last.Next<Ack>().type == PacketType::kPubComp);
  CHECK(watcher.inbox.size() == 1);
}

TEST_CASE("hostile packets: CVE-2025-56352: whoever is refused is closed", "[mqtt]") {
  for (const auto version : {k3, k5}) {
    World world;
    Connect connect;
    connect.version = version;
    connect.client_id = std::string(500, 'x');
    Client& client = world.Connect(connect);
    CHECK(client.Next<ConnAck>().code != 0);
    CHECK(client.closed);
    CHECK(world.broker->connections() == 0);
  }
}

TEST_CASE("hostile packets: CVE-2025-59946: a connection that was taken over is closed at once",
          "[mqtt]") {
  World world;
  Client& first = world.Join("a");
  first.Subscribe("t");
  Client& second = world.Join("a");
  CHECK(first.closed);
  // What it had still to say is nobody's any more.
  world.broker->Receive(first.id(), Encode(PingReq{}, k5), world.now);
  world.broker->Sent(first.id(), 100, world.now);
  world.broker->Closed(first.id(), world.now);
  world.Run();
  world.Join("p").Publish("t", "x");
  CHECK(second.Quiet());  // a clean start has no subscriptions
}

TEST_CASE("hostile packets: CVE-2024-8376: no sequence of sound packets breaks the broker",
          "[mqtt]") {
  std::mt19937 random(20'260'101);
  const auto pick = [&random](int below) { return static_cast<int>(random() % below); };
  Limits limits;
  limits.queue_messages = 20;
  limits.subscriptions = 4;
  World world(limits);
  Others others(world);
  const std::vector<std::string> topics{"t",          "t/a",          "t/b/c",        "u",
                                        "$share/g/t", "$share/g/u/#", "$share/h/+/a", "u/#",
                                        "t/+",        "t/#",          "+/a"};
  std::vector<Client*> clients(5, nullptr);
  for (int step = 0; step < 20'000; ++step) {
    const int who = pick(5);
    Client*& client = clients[static_cast<std::size_t>(who)];
    if (client == nullptr || client->closed) {
      Connect connect = KeptConnect("c" + std::to_string(pick(4)), pick(2) == 0 ? k3 : k5);
      connect.clean_start = pick(4) == 0;
      client = &world.Connect(connect);
      continue;
    }
    const auto id = static_cast<std::uint16_t>(1 + pick(6));
    const std::string& topic = topics[static_cast<std::size_t>(pick(11))];
    switch (pick(7)) {
      case 0: {
        Subscribe subscribe;
        subscribe.packet_id = id;
        subscribe.entries = {{topic, {static_cast<Qos>(pick(3))}}};
        client->Send(subscribe);
        break;
      }
      case 1: {
        Unsubscribe unsubscribe;
        unsubscribe.packet_id = id;
        unsubscribe.filters = {topic};
        client->Send(unsubscribe);
        break;
      }
      case 2:
      case 3: {
        Publish publish;
        publish.topic = topics[static_cast<std::size_t>(pick(4))];
        publish.payload = "x";
        publish.retain = pick(8) == 0;
        publish.qos = static_cast<Qos>(pick(3));
        if (publish.qos != Qos::kAtMostOnce) publish.packet_id = id;
        client->Send(publish);
        break;
      }
      case 4:
      case 5: {
        constexpr PacketType kTypes[] = {PacketType::kPubAck, PacketType::kPubRec,
                                         PacketType::kPubRel, PacketType::kPubComp};
        client->Send(Ack{kTypes[pick(4)], id, Reason::kSuccess, {}});
        break;
      }
      default:
        if (pick(5) == 0) client->Drop();
    }
    if (step % 500 == 0) {
      world.Pass(100ms);
      others.AreServed();
    }
  }
  for (Client* client : clients) {
    if (client != nullptr && !client->closed) client->Drop();
  }
  world.Pass(31 * 24h);  // longer than any session may last
  CHECK(world.broker->sessions() == 0);
  CHECK(world.broker->queued().messages == 0);
  CHECK(world.broker->queued().bytes == 0);
}

}  // namespace
}  // namespace mig::mqtt
