// Documents that are none, or not true, from those who may speak: an agent to the scheduler, a
// scheduler to an agent, a module to its agent. Nobody falls over, and nothing of it is believed.
#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/key_file.h"
#include "proto/command.h"
#include "proto/topics.h"
#include "test/e2e/courier.h"
#include "test/e2e/garbage.h"
#include "test/net/mqtt_client.h"
#include "util/text.h"

using namespace mig;
using namespace mig::e2e;

namespace {

MqttClient::Tls FilesOf(const LinkTls& tls) {
  return {tls.ca_file, tls.certificate_file, tls.key_file};
}

// An agent whose machine somebody has taken over: its certificate, its key, and bad manners.
class Traitor {
 public:
  Traitor(const Lab& lab, int agent)
      : id(AgentOf(lab, agent)),
        key_(ReadKeyFile(
                 ReadText(lab.folder() / ("data/agent-" + std::to_string(agent)) / "agent.key"), "")
                 .value()
                 .secret),
        client_(RelayPort(lab), FilesOf(CertificateOf(lab, agent))) {
    REQUIRE(client_.Connect(id.Text()).code == 0);
  }

  void Say(const std::string& topic, const Bytes& payload) {
    client_.Publish(topic, payload);
    CHECK(client_.Next<mqtt::Ack>().reason == mqtt::Reason::kSuccess);
  }
  void SaySigned(const std::string& topic, std::string_view type, Bytes payload) {
    Say(topic, EncodeEnvelope(Seal(type, std::move(payload), key_)));
  }

  const AgentId id;

 private:
  SecretKey key_;
  MqttClient client_;
};

bool Answers(const Lab& lab) {
  const Outcome asked = lab.Mig({"query", "example", "-t", "name = 'agent-1'", "-gethostname"});
  INFO(asked.err);
  return asked.status == 0;
}

}  // namespace

TEST_CASE("malformed: whatever an agent says, the scheduler lives and believes none of it",
          "[e2e]") {
  const Lab lab(2);
  const Outcome asked =
      lab.Mig({"query", "example", "-t", "name = 'agent-1'", "-gethostname", "--json"});
  REQUIRE(asked.status == 0);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());
  const Outcome before = lab.Mig({"status", id, "--json"});
  REQUIRE(lab.Mig({"lab", "stop", "agent-2"}).status == 0);
  const int pid = lab.PidOf("scheduler");
  const AgentId honest = AgentOf(lab, 1);
  Traitor traitor(lab, 2);
  const std::vector<std::string> topics_of_its_own = {
      topics::Result(traitor.id), topics::Heartbeat(traitor.id), topics::Presence(traitor.id)};
  const std::vector<std::string_view> types = {kReceiptType, kResultType, kHeartbeatType,
                                               kPresenceType, "text/plain"};
  for (const std::string& topic : topics_of_its_own) {
    traitor.Say(topic, "");
    for (const std::string& garbage : NoDocuments()) {
      traitor.Say(topic, garbage);
      for (const std::string_view type : types) traitor.SaySigned(topic, type, garbage);
    }
  }
  CHECK(lab.LogSays("scheduler", "message not taken"));

  // Well-formed, and signed by the key it is enrolled with, but about what is another agent's.
  Receipt receipt;
  receipt.agent = honest;
  receipt.action = *ActionId::Parse(id);
  receipt.state = "refused";
  receipt.code = "malformed";
  receipt.time = Now();
  traitor.SaySigned(topics::Result(traitor.id), kReceiptType, EncodeReceipt(receipt));
  receipt.agent = traitor.id;  // it was not asked
  traitor.SaySigned(topics::Result(traitor.id), kReceiptType, EncodeReceipt(receipt));

  CHECK(Answers(lab));
  CHECK(lab.PidOf("scheduler") == pid);
  const Outcome after = lab.Mig({"status", id, "--json"});
  CHECK(after.out == before.out);
  // The thing itself, when it is sensible again, is heard again.
  REQUIRE(lab.Mig({"lab", "start", "agent-2"}).status == 0);
  const Outcome both = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(both.err);
  CHECK(both.err.find("answered 2/2") != std::string::npos);
}

TEST_CASE("malformed: announcements that are none leave scheduler and API alive", "[e2e]") {
  const Lab lab;
  const int scheduler = lab.PidOf("scheduler");
  const int api = lab.PidOf("api");
  MqttClient client(RelayPort(lab),
                    FilesOf(IssueCertificate(lab, CaOf(lab, "servers-ca"), {"api", "api-9"})));
  REQUIRE(client.Connect("api-9").code == 0);
  std::vector<std::string> payloads = NoDocuments();
  payloads.emplace_back();
  payloads.push_back(std::string(26, 'a'));  // an action that is not there
  for (const auto topic : {topics::kWakeScheduler, topics::kActionEvent, topics::kSchedulerEvent,
                           topics::kAgentEvent}) {
    for (const std::string& payload : payloads) {
      client.Publish(std::string(topic), payload);
      CHECK(client.Next<mqtt::Ack>().reason == mqtt::Reason::kSuccess);
    }
  }
  CHECK(lab.LogSays("api", "an announcement without an action's id"));
  CHECK(Answers(lab));
  CHECK(lab.PidOf("scheduler") == scheduler);
  CHECK(lab.PidOf("api") == api);
}

TEST_CASE("malformed: an agent refuses what people signed and nobody can read", "[e2e]") {
  const Lab lab;
  const Deployment deployment(lab);
  Courier courier(lab);
  const int pid = lab.PidOf("agent-1");
  for (const std::string& garbage : NoDocuments()) {
    courier.SendRaw(topics::Command(deployment.agent), garbage);
    courier.SendRaw(topics::Control(deployment.agent), garbage);
    courier.SendCommand(deployment.agent, Seal(kActionType, garbage, deployment.investigator));
    courier.SendCommand(deployment.agent, Seal("text/plain", garbage, deployment.investigator));
    PolicyUpdate update;
    update.roots.push_back(EnvelopeToJson(deployment.root_document));
    update.policy = EnvelopeToJson(Seal(kPolicyType, garbage, deployment.root));
    courier.SendRaw(topics::Control(deployment.agent), EncodeControl(update));
  }
  CHECK(lab.LogSays("agent-1", "a command cannot be read"));
  CHECK(lab.LogSays("agent-1", "a control message cannot be read"));
  CHECK(lab.LogSays("agent-1", "a policy was refused"));

  // What can be read so far that it names itself is answered.
  const auto refusal = [&](const std::string& from, const std::string& to) {
    const Action action = GoodAction(deployment);
    Bytes payload = EncodeAction(action);
    const auto at = payload.find(from);
    REQUIRE(at != Bytes::npos);
    payload.replace(at, from.size(), to);
    INFO(payload);
    courier.SendCommand(deployment.agent,
                        Seal(kActionType, std::move(payload), deployment.investigator));
    const auto answer = courier.WaitForAnswer(action.id);
    CHECK(lab.Runs(action.id.Text()) == 0);
    if (!answer) return std::string("silence");
    return answer->state == "refused" ? answer->code : answer->state;
  };
  CHECK(refusal("\"gethostname\"", "\"gethostnmae\"") == "bad_parameters");
  CHECK(refusal("\"gethostname\":true", "\"gethostname\":\"yes\"") == "bad_parameters");
  CHECK(refusal("\"module\":\"example\"", "\"module\":\"exmaple\"") == "unsupported");

  CHECK(Answers(lab));
  CHECK(lab.PidOf("agent-1") == pid);
}

TEST_CASE("malformed: a module that answers nonsense costs its agent nothing", "[e2e]") {
  const Lab lab;
  const int pid = lab.PidOf("agent-1");
  for (const char* attempt : {"garbage", "crash", "throw"}) {
    const Outcome asked =
        lab.Mig({"query", "probe", "-t", "all", "--show", "all", "--json", "-attempt", attempt});
    INFO(asked.out << asked.err);
    CHECK(asked.status == 3);
    const json::value answer = ParseJson(asked.out).at("answers").at(0);
    CHECK(answer.at("status").as_string() == "failed");
    CHECK(answer.at("result").at("errors").at(0).as_string().size() > 5);
  }
  CHECK(Answers(lab));
  CHECK(lab.PidOf("agent-1") == pid);
}

TEST_CASE("malformed: files of an agent that are damaged are named, or made anew", "[e2e]") {
  const Lab lab;
  const auto data = lab.folder() / "data/agent-1";
  const auto damage = [&](const char* file, const std::string& content) {
    REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
    const std::string good = ReadText(data / file);
    std::ofstream(data / file, std::ios::binary) << content;
    REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
    return good;
  };
  // By these two only TLS knows it: they are made anew.
  for (const char* file : {"agent.crt", "agent.tls.key"}) {
    for (const std::string& content :
         {std::string("garbage"), std::string(),
          std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
      INFO(file << ": " << content);
      damage(file, content);
      CHECK(Answers(lab));
      CHECK(ReadText(data / file) != content);
    }
  }
  // Who it is, and what it has seen, it does not make up again: an administrator has to look.
  for (const char* file : {"agent.key", "enrolment.json", "agent.db"}) {
    INFO(file);
    const std::string good = damage(file, "garbage, and not a little of it");
    CHECK(lab.LogSays("agent-1", std::string(file) + ": "));
    damage(file, good);
    CHECK(Answers(lab));
  }
}
