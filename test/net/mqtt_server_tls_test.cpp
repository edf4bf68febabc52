// The relay over TLS: who gets in, and what he gets. From the attacker's side.
#include <catch2/catch.hpp>

#include "deployment.h"
#include "mqtt_client.h"
#include "net/mqtt_server.h"
#include "running_relay.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using mqtt::Reason;

TEST_CASE("relay over TLS: a command reaches its agent, and the answer the scheduler", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  MqttClient agent(relay.port(), d.Issue(d.agents_ca, "agent", "a1"));
  MqttClient scheduler(relay.port(), d.Issue(d.servers_ca, "scheduler", "s1"));
  REQUIRE(agent.Connect("a1", true).code == 0);
  REQUIRE(scheduler.Connect("s1", true).code == 0);
  CHECK(agent.Subscribe("mig/v1/dn/a1/#") == Reason::kGrantedQos1);
  CHECK(scheduler.Subscribe("$share/scheduler/mig/v1/up/#") == Reason::kGrantedQos1);
  scheduler.Publish("mig/v1/dn/a1/cmd", "do");
  CHECK(scheduler.Next<mqtt::Ack>().reason == Reason::kSuccess);
  const auto command = agent.Next<mqtt::Publish>();
  CHECK(command.payload == "do");
  agent.PubAck(command.packet_id);
  agent.Publish("mig/v1/up/00/a1/res", Bytes(300'000, 'r'));
  CHECK(agent.Next<mqtt::Ack>().reason == Reason::kSuccess);
  CHECK(scheduler.Next<mqtt::Publish>().payload.size() == 300'000);
}

TEST_CASE("relay over TLS: without a certificate there is nothing to be had", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  MqttClient nobody(relay.port(), d.Nobody());
  mqtt::Connect connect;
  connect.client_id = "a1";
  nobody.Send(connect);
  CHECK(nobody.ClosedSilently());

  MqttClient plain(relay.port());  // not even TLS
  plain.Send(connect);
  CHECK(plain.ClosedSilently());
}

TEST_CASE("relay over TLS: certificates that are not ours get nothing", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto refused = [&](const MqttClient::Tls& tls, const std::string& client_id) {
    MqttClient client(relay.port(), tls);
    mqtt::Connect connect;
    connect.client_id = client_id;
    client.Send(connect);
    return client.ClosedSilently();
  };
  const auto stranger = MakeCa("agents", Now(), 24h).value();  // the same name, another key
  CHECK(refused(d.Issue(stranger, "agent", "a1"), "a1"));
  // The agents' CA stands on the API's machine: it may not make a scheduler.
  CHECK(refused(d.Issue(d.agents_ca, "scheduler", "s1"), "s1"));
  CHECK(refused(d.Issue(d.servers_ca, "agent", "a1"), "a1"));
  const auto yesterday = Now() - 24h * 100;
  const auto old_ca = MakeCa("old", yesterday, 24h * 365).value();
  d.Write("agents-ca.crt", d.agents_ca.certificate + old_ca.certificate);
  REQUIRE(relay.Do([](MqttServer& server) { return server.ReloadTls().has_value(); }));
  CHECK(refused(d.Issue(old_ca, "agent", "a1", yesterday), "a1"));  // expired ten days ago
  CHECK_FALSE(refused(d.Issue(old_ca, "agent", "a1"), "a1"));
}

TEST_CASE("relay over TLS: an agent gets nothing of another agent's", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto mallory_tls = d.Issue(d.agents_ca, "agent", "mallory");
  {
    MqttClient mallory(relay.port(), mallory_tls);
    CHECK(mallory.Connect("a1").code == 0x87);  // another's client identifier
    CHECK(mallory.ClosedSilently());
  }
  MqttClient agent(relay.port(), d.Issue(d.agents_ca, "agent", "a1"));
  MqttClient mallory(relay.port(), mallory_tls);
  MqttClient scheduler(relay.port(), d.Issue(d.servers_ca, "scheduler", "s1"));
  agent.Connect("a1");
  mallory.Connect("mallory");
  scheduler.Connect("s1");
  agent.Subscribe("mig/v1/dn/a1/#");
  scheduler.Subscribe("mig/v1/up/#");
  for (const char* filter :
       {"mig/v1/dn/a1/#", "mig/v1/dn/+/cmd", "#", "mig/v1/up/#", "$share/scheduler/mig/v1/up/#"}) {
    CHECK(mallory.Subscribe(filter) == Reason::kNotAuthorized);
  }
  for (const char* topic : {"mig/v1/dn/a1/cmd", "mig/v1/dn/all/cmd", "mig/v1/up/00/a1/res"}) {
    mallory.Publish(topic, "forged");
    CHECK(mallory.Next<mqtt::Ack>().reason == Reason::kNotAuthorized);
  }
  mallory.Publish("mig/v1/dn/a1/cmd", "forged", mqtt::Qos::kAtMostOnce);
  scheduler.Publish("mig/v1/dn/a1/cmd", "real");
  CHECK(agent.Next<mqtt::Publish>().payload == "real");
  mallory.Publish("mig/v1/up/00/mallory/res", "own");
  scheduler.Next<mqtt::Ack>();
  CHECK(scheduler.Next<mqtt::Publish>().topic == "mig/v1/up/00/mallory/res");
}

TEST_CASE("relay over TLS: a will with another's topic is refused", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  MqttClient agent(relay.port(), d.Issue(d.agents_ca, "agent", "a1"));
  mqtt::Connect connect;
  connect.client_id = "a1";
  connect.will = mqtt::Will{"mig/v1/up/00/a2/st", "off", mqtt::Qos::kAtLeastOnce, false, {}};
  agent.Send(connect);
  CHECK(agent.Next<mqtt::ConnAck>().code == 0x87);
}

TEST_CASE("relay over TLS: who does not finish the handshake is closed", "[net]") {
  Deployment d;
  auto options = d.Options();
  options.limits.connect_within = 1s;
  RunningRelay relay(d.folder / "relay.db", std::move(options), &d.rights);
  MqttClient silent(relay.port());
  CHECK(silent.ClosedSilently());
  // The same time is for TLS and CONNECT together.
  MqttClient mute(relay.port(), d.Issue(d.agents_ca, "agent", "a1"));
  REQUIRE(mute.handshake_done());
  CHECK(mute.ClosedSilently());
}

TEST_CASE("relay over TLS: certificates are read again, and bad files change nothing", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto tls = d.Issue(d.agents_ca, "agent", "a1");
  MqttClient first(relay.port(), tls);
  CHECK(first.ServerName() == "relay1");
  first.Connect("a1");
  d.IssueRelay("relay2");
  REQUIRE(relay.Do([](MqttServer& server) { return server.ReloadTls().has_value(); }));
  MqttClient second(relay.port(), tls);
  CHECK(second.ServerName() == "relay2");
  d.Write("relay.key", "nonsense");
  CHECK_FALSE(relay.Do([](MqttServer& server) { return server.ReloadTls().has_value(); }));
  MqttClient third(relay.port(), tls);
  CHECK(third.ServerName() == "relay2");
  first.Send(mqtt::PingReq{});  // connections stay
  first.Next<mqtt::PingResp>();
}

TEST_CASE("relay over TLS: missing and wrong files are named", "[net]") {
  Deployment d;
  boost::asio::io_context io;
  const auto message = [&](auto change) {
    auto options = d.Options();
    options.listen = "127.0.0.1:0";
    change(*options.tls);
    auto db = store::RelayDb::Open({d.folder / "relay.db"});
    REQUIRE(db);
    auto server = MqttServer::Start(io, std::move(options), std::move(*db), {}, d.rights);
    REQUIRE_FALSE(server);
    return server.error().message();
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(message([](auto& tls) { tls.key = "/absent.key"; }), Contains("/absent.key"));
  CHECK_THAT(message([](auto& tls) { tls.agents_ca = "/absent.crt"; }), Contains("/absent.crt"));
  CHECK_THAT(message([&](auto& tls) { tls.certificate = d.File("relay.key"); }),
             Contains("relay.key: no certificate"));
  const auto other = d.Issue(d.agents_ca, "agent", "a1");
  CHECK_THAT(message([&](auto& tls) { tls.key = other.key_file; }),
             Contains("no private key of") && Contains("relay.crt"));
}

}  // namespace
}  // namespace mig
