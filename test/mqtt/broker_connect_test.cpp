// CONNECT, sessions, take-over, keep-alive and wills.
#include <catch2/catch.hpp>

#include "test/mqtt/broker_world.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;
constexpr auto k3 = Version::k311;
constexpr auto k5 = Version::k5;

TEST_CASE("broker: a new client is told what the broker can do", "[mqtt]") {
  World world;
  Connect connect;
  connect.keep_alive_seconds = 5000;
  const auto ack = world.Connect(connect).Next<ConnAck>();
  CHECK(ack.code == 0);
  CHECK_FALSE(ack.session_present);
  CHECK(ack.properties.Text(PropertyId::kAssignedClientIdentifier) == "assigned-1");
  CHECK(ack.properties.Number(PropertyId::kServerKeepAlive) == 1200);
  CHECK_FALSE(ack.properties.Number(PropertyId::kMaximumQos));  // none: 2
  CHECK(ack.properties.Number(PropertyId::kReceiveMaximum) == 32);
  CHECK(ack.properties.Number(PropertyId::kTopicAliasMaximum) == 8);
  CHECK_FALSE(ack.properties.Number(PropertyId::kSessionExpiryInterval));
}

TEST_CASE("broker: a session expiry beyond the limit is cut, and the client is told", "[mqtt]") {
  Limits limits;
  limits.max_session_expiry = 60s;
  World world(limits);
  const auto ack = world.Connect(KeptConnect("a")).Next<ConnAck>();
  CHECK(ack.properties.Number(PropertyId::kSessionExpiryInterval) == 60);
}

TEST_CASE("broker: 3.1.1 wants a client identifier for a session that is kept", "[mqtt]") {
  World world;
  Connect connect;
  connect.version = k3;
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0);
  connect.clean_start = false;
  Client& refused = world.Connect(connect);
  CHECK(refused.Next<ConnAck>().code == 2);
  CHECK(refused.closed);
}

TEST_CASE("broker: another protocol version gets return code 1 and is closed", "[mqtt]") {
  World world;
  Client& client = world.Open(k3);
  client.SendBytes(Bytes("\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x0a\x00\x01\x61", 17));
  CHECK(client.Next<ConnAck>().code == 1);
  CHECK(client.closed);
}

TEST_CASE("broker: a CONNECT of 5.0 that does not decode is told why", "[mqtt]") {  // 4.13.1
  // A reserved flag is set; everything else is as it should be.
  const Bytes connect("\x10\x0e\x00\x04MQTT\x05\x03\x00\x00\x00\x00\x01\x61", 16);
  World world;
  Client& client = world.Open();
  client.SendBytes(connect);
  CHECK(client.Next<ConnAck>().code == static_cast<int>(Reason::kMalformedPacket));
  CHECK(client.closed);

  Bytes older = connect;
  older[8] = '\x04';  // 3.1.1 has no code for it
  Client& closed = world.Open(k3);
  closed.SendBytes(older);
  CHECK(closed.inbox.empty());
  CHECK(closed.closed);
}

TEST_CASE("broker: whatever does not begin with CONNECT is closed without an answer", "[mqtt]") {
  for (const Bytes& bytes : {Encode(PingReq{}, k5), Bytes("GET / HTTP/1.1\r\n\r\n"), Bytes("\0", 1),
                             Encode(ConnAck{}, k5), Bytes("\x16\x03\x01\x02", 4)}) {
    World world;
    Client& client = world.Open();
    client.SendBytes(bytes);
    CHECK(client.closed);
    CHECK(client.inbox.empty());
  }
}

TEST_CASE("broker: a second CONNECT is a protocol error", "[mqtt]") {  // [MQTT-3.1.0-2]
  World world;
  Client& client = world.Join("a");
  client.Send(Connect{});
  CHECK(client.Next<Disconnect>().reason == Reason::kProtocolError);
  CHECK(client.closed);
}

TEST_CASE("broker: an authentication method is answered with 0x8C", "[mqtt]") {
  World world;
  Connect connect;
  connect.properties.Add(PropertyId::kAuthenticationMethod, "SCRAM");
  Client& client = world.Connect(connect);
  CHECK(client.Next<ConnAck>().code == 0x8C);
  CHECK(client.closed);
}

TEST_CASE("broker: client identifiers that would widen access rules are refused", "[mqtt]") {
  for (const char* id : {"#", "a+b", "a\nb"}) {
    World world;
    Connect connect;
    connect.client_id = id;
    Client& client = world.Connect(connect);
    CHECK(client.Next<ConnAck>().code == 0x85);
    CHECK(client.closed);
  }
}

TEST_CASE("broker: a packet that comes byte by byte is handled once it is whole", "[mqtt]") {
  World world;
  Client& client = world.Open();
  Connect connect;
  connect.client_id = "slow";
  const Bytes bytes = Encode(connect, k5) + Encode(PingReq{}, k5);
  for (const char byte : bytes) client.SendBytes(BytesView(&byte, 1));
  CHECK(client.Next<ConnAck>().code == 0);
  client.Next<PingResp>();
}

TEST_CASE("broker: who sends no CONNECT within ten seconds is closed", "[mqtt]") {
  World world;
  Client& client = world.Open();
  world.Pass(9s);
  client.SendBytes("\x10");  // a byte now and then does not help
  world.Pass(2s);
  CHECK(client.closed);
}

TEST_CASE("broker: silence for one and a half keep-alives ends the connection", "[mqtt]") {
  World world;
  Connect connect;
  connect.client_id = "a";
  connect.keep_alive_seconds = 10;
  Client& client = world.Connect(connect);
  client.Next<ConnAck>();
  world.Pass(14s);
  client.Send(PingReq{}).Next<PingResp>();
  world.Pass(14s);
  CHECK_FALSE(client.closed);
  world.Pass(2s);
  CHECK(client.closed);
  CHECK(client.Next<Disconnect>().reason == Reason::kKeepAliveTimeout);
}

TEST_CASE("broker: keep alive 0 means the longest that is allowed", "[mqtt]") {
  World world;
  Client& client = world.Join("a", k3);
  world.Pass(29min);
  CHECK_FALSE(client.closed);
  world.Pass(2min);
  CHECK(client.closed);
}

TEST_CASE("broker: a second connection with the same identifier takes over", "[mqtt]") {
  World world;
  Client& first = world.JoinKept("a");
  first.Subscribe("t");
  Client& second = world.Connect(KeptConnect("a"));
  CHECK(first.Next<Disconnect>().reason == Reason::kSessionTakenOver);
  CHECK(first.closed);
  CHECK(second.Next<ConnAck>().session_present);
  world.Join("b").Publish("t", "x");
  CHECK(second.Next<Publish>().payload == "x");
  CHECK(world.broker->sessions() == 2);
}

TEST_CASE("broker: a session is present until it expires, and not after", "[mqtt]") {
  World world;
  world.JoinKept("a").Drop();
  world.Pass(59min);
  Client& again = world.Connect(KeptConnect("a"));
  CHECK(again.Next<ConnAck>().session_present);
  again.Drop();
  world.Pass(61min);
  CHECK(world.broker->sessions() == 0);
  CHECK(world.store.sessions() == 0);
  CHECK_FALSE(world.Connect(KeptConnect("a")).Next<ConnAck>().session_present);
}

TEST_CASE("broker: clean start throws the old session away", "[mqtt]") {
  World world;
  world.JoinKept("a").Subscribe("t").Drop();
  world.Join("b").Publish("t", "x");
  CHECK(world.store.queued() == 1);
  Connect connect = KeptConnect("a");
  connect.clean_start = true;
  Client& again = world.Connect(connect);
  CHECK_FALSE(again.Next<ConnAck>().session_present);
  CHECK(again.Quiet());
  CHECK(world.store.queued() == 0);
  CHECK(world.store.messages() == 0);
}

TEST_CASE("broker: DISCONNECT may shorten the session, but not make one", "[mqtt]") {
  World world;
  Disconnect disconnect;
  disconnect.properties.Add(PropertyId::kSessionExpiryInterval, 1);
  world.JoinKept("a").Send(disconnect);
  world.Pass(2s);
  CHECK(world.broker->sessions() == 0);
  Client& client = world.Join("b");
  client.Send(disconnect);
  CHECK(client.Next<Disconnect>().reason == Reason::kProtocolError);
}

TEST_CASE("broker: CONNACK of a session that is kept waits for the store", "[mqtt]") {
  World world;
  world.commits = false;
  Client& client = world.Connect(KeptConnect("a"));
  CHECK(client.inbox.empty());
  client.Send(PingReq{});  // must not be answered before CONNACK
  CHECK(client.inbox.empty());
  world.Commit();
  client.Next<ConnAck>();
  client.Next<PingResp>();
  CHECK(client.reading);
}

Connect WithWill(const std::string& id, std::uint32_t delay, std::uint32_t expiry) {
  Connect connect;
  connect.client_id = id;
  connect.clean_start = false;
  if (expiry > 0) connect.properties.Add(PropertyId::kSessionExpiryInterval, expiry);
  Will will{"will/" + id, "gone", Qos::kAtLeastOnce, false, {}};
  if (delay > 0) will.properties.Add(PropertyId::kWillDelayInterval, delay);
  connect.will = will;
  return connect;
}

TEST_CASE("broker: the will is sent when the connection breaks, not after DISCONNECT", "[mqtt]") {
  World world;
  Client& watcher = world.Join("watcher");
  watcher.Subscribe("will/#");
  world.Connect(WithWill("a", 0, 0)).Send(Disconnect{});
  CHECK(watcher.Quiet());
  world.Connect(WithWill("b", 0, 0)).Drop();
  CHECK(watcher.Next<Publish>().topic == "will/b");
  world.Connect(WithWill("c", 0, 0)).Send(Disconnect{Reason::kDisconnectWithWill, {}});
  CHECK(watcher.Next<Publish>().topic == "will/c");
  world.Connect(WithWill("d", 0, 0)).SendBytes("\xff\xff");
  CHECK(watcher.Next<Publish>().topic == "will/d");
}

TEST_CASE("broker: a delayed will is not sent if the client returns in time", "[mqtt]") {
  World world;
  Client& watcher = world.Join("watcher");
  watcher.Subscribe("will/#");
  world.Connect(WithWill("a", 60, 3600)).Drop();
  world.Pass(50s);
  Client& again = world.Connect(WithWill("a", 60, 3600));
  world.Pass(5min);
  CHECK(watcher.Quiet());
  again.Drop();
  world.Pass(59s);
  CHECK(watcher.Quiet());
  world.Pass(2s);
  CHECK(watcher.Next<Publish>().payload == "gone");
  world.Pass(20min);
  CHECK(watcher.Quiet());  // once only
}

TEST_CASE("broker: the will comes at the latest with the end of the session", "[mqtt]") {
  World world;
  Client& watcher = world.Join("watcher");
  watcher.Subscribe("will/#");
  world.Connect(WithWill("a", 600, 30)).Drop();
  world.Pass(31s);
  watcher.Next<Publish>();
  world.Connect(WithWill("b", 600, 3600)).Drop();
  Connect clean;
  clean.client_id = "b";
  world.Connect(clean);
  CHECK(watcher.Next<Publish>().topic == "will/b");
}

TEST_CASE("broker: a will with a bad topic or payload is refused at CONNECT", "[mqtt]") {
  World world;
  Connect connect = WithWill("a", 0, 0);
  connect.will->topic = "a/#";
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0x90);
  connect = WithWill("a", 0, 0);
  connect.will->properties.Add(PropertyId::kPayloadFormatIndicator, 1);
  connect.will->payload = "\xFF";
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0x99);
}

TEST_CASE("broker: shutting down tells who can be told, and sends no wills", "[mqtt]") {
  World world;
  Client& watcher = world.Join("watcher");
  watcher.Subscribe("will/#");
  Client& five = world.Connect(WithWill("a", 0, 0));
  five.Next<ConnAck>();
  Client& three = world.Join("three", k3);
  world.broker->Shutdown(world.now);
  world.Run();
  CHECK(five.Next<Disconnect>().reason == Reason::kServerShuttingDown);
  CHECK(three.inbox.empty());
  CHECK(three.closed);
  CHECK(watcher.Next<Disconnect>().reason == Reason::kServerShuttingDown);
  CHECK(world.broker->connections() == 0);
}

// Lets "mallory" do nothing, and nobody publish below "secret".
class Suspicious final : public Authoriser {
 public:
  bool MayConnect(const Peer& peer, std::string_view) const override {
    return peer.id != "mallory";
  }
  bool MayPublish(const Peer&, std::string_view topic, bool) const override {
    return !topic.starts_with("secret") && (allow_wills || !topic.starts_with("will"));
  }
  bool MaySubscribe(const Peer&, std::string_view filter) const override {
    return !filter.starts_with("secret") && filter != "#" && (allow_late || filter != "late");
  }
  bool allow_wills = true;
  bool allow_late = true;
};

TEST_CASE("broker: who may not connect is refused and closed", "[mqtt]") {
  Suspicious rights;
  World world({}, &rights);
  Connect connect;
  connect.client_id = "a";
  Client& client = world.Connect(connect, {"agent", "mallory", "192.0.2.1"});
  CHECK(client.Next<ConnAck>().code == 0x87);
  CHECK(client.closed);
  connect.version = k3;
  CHECK(world.Connect(connect, {"agent", "mallory", ""}).Next<ConnAck>().code == 5);
}

TEST_CASE("broker: a session of somebody else is not taken over", "[mqtt]") {
  World world;
  Client& alice = world.Connect(KeptConnect("a"), {"agent", "alice", ""});
  alice.Next<ConnAck>();
  Client& bob = world.Connect(KeptConnect("a"), {"agent", "bob", ""});
  CHECK(bob.Next<ConnAck>().code == 0x87);
  CHECK_FALSE(alice.closed);
  alice.Drop();
  CHECK(world.Connect(KeptConnect("a"), {"scheduler", "alice", ""}).Next<ConnAck>().code == 0x87);
  CHECK(world.Connect(KeptConnect("a"), {"agent", "alice", ""}).Next<ConnAck>().session_present);
}

TEST_CASE("broker: the will's right is asked for at CONNECT and again when it is sent", "[mqtt]") {
  Suspicious rights;
  World world({}, &rights);
  Client& watcher = world.Join("watcher");
  watcher.Subscribe("will/#");
  Connect connect = WithWill("a", 0, 0);
  connect.will->topic = "secret/x";
  CHECK(world.Connect(connect).Next<ConnAck>().code == 0x87);
  Client& client = world.Connect(WithWill("b", 0, 0));
  CHECK(client.Next<ConnAck>().code == 0);
  rights.allow_wills = false;
  client.Drop();
  CHECK(watcher.Quiet());
}

TEST_CASE("broker: a subscription does not outlive its right", "[mqtt]") {
  Suspicious rights;
  World world({}, &rights);
  world.JoinKept("a").Subscribe("late").Subscribe("kept").Drop();
  rights.allow_late = false;
  Client& client = world.JoinKept("a");
  Client& publisher = world.Join("p");
  publisher.Publish("late", "x").Publish("kept", "y");
  CHECK(client.Next<Publish>().payload == "y");
  CHECK(client.Quiet());
}

TEST_CASE("broker: publishing and subscribing without the right", "[mqtt]") {
  Suspicious rights;
  World world({}, &rights);
  Client& five = world.Join("five");
  five.Publish("secret/a", "x");
  CHECK(five.Next<Ack>().reason == Reason::kNotAuthorized);
  five.Publish("secret/a", "x", Qos::kAtMostOnce);
  CHECK(five.Quiet());
  Subscribe subscribe;
  subscribe.packet_id = 1;
  subscribe.entries = {{"secret/#", {}}, {"ok", {}}, {"#", {}}};
  five.Send(subscribe);
  CHECK(five.Next<SubAck>().reasons ==
        std::vector{Reason::kNotAuthorized, Reason::kSuccess, Reason::kNotAuthorized});
  Client& three = world.Join("three", k3);
  three.Publish("secret/a", "x");  // 3.1.1 has no other answer
  CHECK(three.closed);
  CHECK(three.inbox.empty());
}

}  // namespace
}  // namespace mig::mqtt
