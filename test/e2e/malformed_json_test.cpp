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

SecretKey KeyOf(const Lab& lab, int agent) {
  const auto file = lab.folder() / ("data/agent-" + std::to_string(agent)) / "agent.key";
  return ReadKeyFile(ReadText(file), "").value().secret;
}

// An agent whose machine somebody has taken over, with its certificate; the key may be another.
class Traitor {
 public:
  Traitor(const Lab& lab, int agent, SecretKey key)
      : id(AgentOf(lab, agent)),
        key_(std::move(key)),
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
  // In the name of `agent`, on this one's own topics: that it refuses the action, and that it is
  // called otherwise.
  void Lie(const AgentId& agent, const ActionId& action) {
    const LedgerMark ledger{1, Bytes(32, 'l')};
    Receipt receipt;
    receipt.agent = agent;
    receipt.action = action;
    receipt.state = "refused";
    receipt.code = "malformed";
    receipt.time = Now();
    receipt.ledger = ledger;
    REQUIRE(DecodeReceipt(EncodeReceipt(receipt)));  // nothing but untrue
    SaySigned(topics::Result(id), kReceiptType, EncodeReceipt(receipt));
    ResultPart part;
    part.agent = agent;
    part.action = action;
    part.last = true;
    part.summary = OperationSummary{CommandStatus::kFailed, {{"success", false}}, "none"};
    part.status = CommandStatus::kFailed;
    part.time = Now();
    part.ledger = ledger;
    REQUIRE(DecodeResultPart(EncodeResultPart(part)));
    SaySigned(topics::Result(id), kResultType, EncodeResultPart(part));
    Heartbeat heartbeat;
    heartbeat.agent = agent;
    heartbeat.name = "hijacked";
    heartbeat.version = "1";
    heartbeat.time = heartbeat.started = Now();
    heartbeat.sandbox = "full";
    heartbeat.boot = "boot";
    heartbeat.ledger = ledger;
    REQUIRE(DecodeHeartbeat(EncodeHeartbeat(heartbeat)));
    SaySigned(topics::Heartbeat(id), kHeartbeatType, EncodeHeartbeat(heartbeat));
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

TEST_CASE("malformed: whatever an agent says, the scheduler lives", "[e2e]") {
  const Lab lab(2);
  REQUIRE(lab.Mig({"lab", "stop", "agent-2"}).status == 0);
  const int pid = lab.PidOf("scheduler");
  Traitor traitor(lab, 2, KeyOf(lab, 2));
  const std::vector<std::string_view> types = {kReceiptType, kResultType, kHeartbeatType,
                                               kPresenceType, "text/plain"};
  for (const std::string& topic :
       {topics::Result(traitor.id), topics::Heartbeat(traitor.id), topics::Presence(traitor.id)}) {
    traitor.Say(topic, "");
    for (const std::string& garbage : NoDocuments()) {
      traitor.Say(topic, garbage);
      for (const std::string_view type : types) traitor.SaySigned(topic, type, garbage);
    }
  }
  CHECK(lab.LogSays("scheduler", "message not taken"));
  CHECK(Answers(lab));
  CHECK(lab.PidOf("scheduler") == pid);
  // The agent itself, when it is sensible again, is heard again.
  REQUIRE(lab.Mig({"lab", "start", "agent-2"}).status == 0);
  const Outcome both = lab.Mig({"query", "example", "-t", "all", "-gethostname"});
  INFO(both.err);
  CHECK(both.err.find("answered 2/2") != std::string::npos);
}

TEST_CASE("malformed: nobody answers in an agent's name", "[e2e]") {
  const Lab lab(2);
  const AgentId honest = AgentOf(lab, 1);
  for (const char* agent : {"agent-1", "agent-2"}) {
    REQUIRE(lab.Mig({"lab", "stop", agent}).status == 0);
  }
  // It waits for agent-1, and a refusal would be its end.
  const Outcome asked =
      lab.Mig({"query", "example", "-t", "name = 'agent-1'", "--detach", "--json", "-gethostname"});
  INFO(asked.err);
  REQUIRE(asked.status == 130);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());
  const ActionId action = *ActionId::Parse(id);

  {  // Another agent, with all that is its own.
    Traitor traitor(lab, 2, KeyOf(lab, 2));
    traitor.Lie(honest, action);
    traitor.Lie(traitor.id, action);  // it was not asked
  }
  {  // Who has the agent's certificate, but not the key that it enrolled with.
    Traitor thief(lab, 1, SecretKey::Generate());
    thief.Lie(honest, action);
  }
  REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
  const Outcome results = lab.Mig({"results", id, "-f"});
  INFO(results.out << results.err);
  CHECK(results.status == 0);
  CHECK(results.out.find("hostname is") != std::string::npos);
  const Outcome status = lab.Mig({"status", id, "--json"});
  CHECK(ParseJson(status.out).at("counters").at("success").to_number<int>() == 1);
  CHECK(ParseJson(status.out).at("counters").at("refused").to_number<int>() == 0);
  // agent-2 may have told its own new name: it is its own.
  CHECK(lab.Mig({"agents", "--json", "-t", "name = 'agent-1'"}).status == 0);
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
