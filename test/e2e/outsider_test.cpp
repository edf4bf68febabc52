// Who gets nothing from a lab's relay: a client without a certificate, with one of a CA that is not
// the lab's, and an agent, stolen with its key, that reaches for what is another agent's.
#include <catch2/catch.hpp>

#include "crypto/certificate.h"
#include "proto/topics.h"
#include "test/e2e/courier.h"
#include "test/net/mqtt_client.h"

using namespace mig;
using namespace mig::e2e;
using namespace std::chrono_literals;
using mqtt::Reason;

namespace {

constexpr const char* kForged = "forged by agent-2";
constexpr int kNotAuthorised = 0x87;

MqttClient::Tls FilesOf(const LinkTls& tls) {
  return {tls.ca_file, tls.certificate_file, tls.key_file};
}

mqtt::Connect ConnectAs(const std::string& client_id) {
  mqtt::Connect connect;
  connect.client_id = client_id;
  connect.keep_alive_seconds = 60;
  return connect;
}

// Whether the relay lets a client that shows this certificate say who it is; false when it closes
// the connection without a word of MQTT.
bool IsAnswered(std::uint16_t port, const MqttClient::Tls& tls, const std::string& client_id) {
  MqttClient client(port, tls);
  client.Send(ConnectAs(client_id));
  return !client.ClosedSilently();
}

}  // namespace

TEST_CASE("outsider: without a certificate of the lab's CAs a client gets nothing", "[e2e]") {
  const Lab lab(2);
  REQUIRE(lab.Mig({"lab", "stop", "agent-2"}).status == 0);
  const std::uint16_t port = RelayPort(lab);
  const std::string id = AgentOf(lab, 2).Text();
  const PeerName name{"agent", id};
  const KeyPairPem agents_ca = CaOf(lab, "agents-ca");
  const KeyPairPem servers_ca = CaOf(lab, "servers-ca");

  // The control: the certificate is what opens the door below, or does not.
  CHECK(IsAnswered(port, FilesOf(CertificateOf(lab, 2)), id));
  CHECK(IsAnswered(port, FilesOf(IssueCertificate(lab, agents_ca, name)), id));

  MqttClient plain(port);  // not even TLS
  plain.Send(ConnectAs(id));
  CHECK(plain.ClosedSilently());
  CHECK_FALSE(IsAnswered(port, {CertificateOf(lab, 2).ca_file, "", ""}, id));
  CHECK(lab.LogSays("relay", "TLS handshake failed"));

  // The same names, all of them, by a CA that calls itself the same.
  const KeyPairPem impostor = MakeCa("mig lab agents CA", Now(), 24h).value();
  CHECK_FALSE(IsAnswered(port, FilesOf(IssueCertificate(lab, impostor, name)), id));
  // The agents' CA stands on the API's machine: who takes that one over makes no scheduler with it.
  CHECK_FALSE(IsAnswered(
      port, FilesOf(IssueCertificate(lab, agents_ca, {"scheduler", "scheduler-1"})), "scheduler"));
  CHECK_FALSE(IsAnswered(port, FilesOf(IssueCertificate(lab, servers_ca, name)), id));
  CHECK_FALSE(IsAnswered(port, FilesOf(IssueCertificate(lab, agents_ca, name, Now() - 48h)),
                         id));  // lapsed

  CHECK(lab.Mig({"query", "example", "-gethostname"}).status == 0);
}

TEST_CASE("outsider: an agent's certificate opens nothing of another agent's", "[e2e]") {
  const Lab lab(2);
  REQUIRE(lab.Mig({"lab", "stop", "agent-2"}).status == 0);
  const std::uint16_t port = RelayPort(lab);
  const AgentId victim = AgentOf(lab, 1);
  const AgentId thief = AgentOf(lab, 2);
  const MqttClient::Tls stolen = FilesOf(CertificateOf(lab, 2));

  {
    // Its session: whoever gets it gets what waits there, and pushes the agent out.
    MqttClient client(port, stolen);
    CHECK(client.Connect(victim.Text()).code == kNotAuthorised);
    CHECK(client.ClosedSilently());
  }
  for (const char* id : {"scheduler", "scheduler-1", "api-1", ""}) {
    MqttClient client(port, stolen);
    client.Send(ConnectAs(id));
    CHECK(client.Next<mqtt::ConnAck>().code == kNotAuthorised);
  }
  for (const std::string& topic : {topics::Presence(victim), topics::Command(victim)}) {
    MqttClient client(port, stolen);
    mqtt::Connect connect = ConnectAs(thief.Text());
    connect.will = mqtt::Will{topic, kForged, mqtt::Qos::kAtLeastOnce, false, {}};
    client.Send(connect);
    CHECK(client.Next<mqtt::ConnAck>().code == kNotAuthorised);
  }

  // Whatever comes up from agents, forged or not, passes here.
  MqttClient scheduler(
      port, FilesOf(IssueCertificate(lab, CaOf(lab, "servers-ca"), {"scheduler", "witness"})));
  REQUIRE(scheduler.Connect("witness").code == 0);
  REQUIRE(scheduler.Subscribe(std::string(topics::kUpFilter)) == Reason::kGrantedQos1);

  MqttClient client(port, stolen);
  REQUIRE(client.Connect(thief.Text()).code == 0);
  const std::string down = topics::AgentFilter(victim);
  const std::vector<std::string> filters = {down,
                                            topics::Command(victim),
                                            topics::Control(victim),
                                            "mig/v1/dn/#",
                                            "mig/v1/dn/+/cmd",
                                            "mig/v1/+/" + victim.Text() + "/#",
                                            "#",
                                            "+/#",
                                            "mig/#",
                                            "mig/v1/up/#",
                                            topics::Result(victim),
                                            "mig/v1/event/#",
                                            "mig/v1/wake/scheduler",
                                            "$share/scheduler/mig/v1/up/#",
                                            "$share/agent/" + down,
                                            "$share/" + thief.Text() + "/" + down,
                                            "$share/x/#",
                                            "$SYS/#"};
  for (const std::string& filter : filters) {
    INFO(filter);
    CHECK(client.Subscribe(filter) == Reason::kNotAuthorized);
  }
  const std::vector<std::string> names = {topics::Command(victim),
                                          topics::Control(victim),
                                          topics::Result(victim),
                                          topics::Presence(victim),
                                          topics::Heartbeat(victim),
                                          std::string(topics::kAllPolicy),
                                          std::string(topics::kAllCommands),
                                          std::string(topics::kWakeScheduler),
                                          std::string(topics::kActionEvent),
                                          topics::Command(thief)};
  for (const std::string& topic : names) {
    for (const bool retain : {false, true}) {
      INFO(topic << (retain ? ", retained" : ""));
      mqtt::Publish publish;
      publish.topic = topic;
      publish.payload = kForged;
      publish.qos = mqtt::Qos::kAtLeastOnce;
      publish.retain = retain;
      publish.packet_id = 7;
      client.Send(publish);
      CHECK(client.Next<mqtt::Ack>().reason == Reason::kNotAuthorized);
      // Without an acknowledgement nobody says no; it is dropped all the same.
      publish.qos = mqtt::Qos::kAtMostOnce;
      publish.packet_id = 0;
      client.Send(publish);
    }
  }
  // So many refusals a second are written; whoever goes on is named in the next one.
  CHECK(Eventually(std::chrono::seconds(20), [&] {
    mqtt::Publish publish;
    publish.topic = topics::Command(victim);
    publish.qos = mqtt::Qos::kAtLeastOnce;
    publish.packet_id = 8;
    client.Send(publish);
    CHECK(client.Next<mqtt::Ack>().reason == Reason::kNotAuthorized);
    return lab.Log("relay").find("publish to `" + topics::Command(victim) + "`") !=
           std::string::npos;
  }));

  // A question to the other agent, from its order to its answer, passes the thief by.
  const Outcome asked = lab.Mig({"query", "example", "-t", "name = 'agent-1'", "-gethostname"});
  INFO(asked.err);
  CHECK(asked.status == 0);
  client.Send(mqtt::PingReq{});
  client.Next<mqtt::PingResp>();

  // Its own topics are its own: this comes to the witness, behind whatever came before.
  client.Publish(topics::Heartbeat(thief), "the end");
  CHECK(client.Next<mqtt::Ack>().reason == Reason::kSuccess);
  for (;;) {
    const auto message = scheduler.Next<mqtt::Publish>();
    if (message.qos != mqtt::Qos::kAtMostOnce) scheduler.PubAck(message.packet_id);
    CHECK(message.payload != kForged);
    if (message.payload == "the end") break;
  }
  // The other agent saw none of it either, and was never pushed out. (What it cannot read it says;
  // refusal_test.cpp shows that.)
  CHECK(lab.Log("agent-1").find("cannot be read") == std::string::npos);
  CHECK(lab.Log("agent-1").find("relay lost") == std::string::npos);
}

TEST_CASE("outsider: MQTT 3.1.1 opens no more of another agent's", "[e2e]") {
  const Lab lab(2);
  REQUIRE(lab.Mig({"lab", "stop", "agent-2"}).status == 0);
  const AgentId victim = AgentOf(lab, 1);
  const AgentId thief = AgentOf(lab, 2);
  const MqttClient::Tls stolen = FilesOf(CertificateOf(lab, 2));
  const auto connect = [&](MqttClient& client) { REQUIRE(client.Connect(thief.Text()).code == 0); };

  MqttClient listener(RelayPort(lab), stolen, mqtt::Version::k311);
  connect(listener);
  for (const std::string& filter : {topics::AgentFilter(victim), std::string("#")}) {
    CHECK(static_cast<int>(listener.Subscribe(filter)) == 0x80);
  }
  // This version has no word for a refused publish but to end the connection (its section 3.3.5).
  for (const std::string& topic : {topics::Command(victim), topics::Result(victim)}) {
    MqttClient client(RelayPort(lab), stolen, mqtt::Version::k311);
    connect(client);
    client.Publish(topic, kForged);
    CHECK(client.ClosedSilently());
  }
  CHECK(lab.Log("agent-1").find("cannot be read") == std::string::npos);
  CHECK(lab.Mig({"query", "example", "-t", "name = 'agent-1'", "-gethostname"}).status == 0);
}
