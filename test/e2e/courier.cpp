#include "test/e2e/courier.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_file.h"
#include "proto/command.h"
#include "proto/topics.h"
#include "util/settings.h"

namespace mig::e2e {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  INFO(file.string());
  REQUIRE(in.good());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

SecretKey KeyIn(const fs::path& file) {
  auto key = ReadKeyFile(Slurp(file), "");
  REQUIRE(key);
  return std::move(key->secret);
}

Envelope EnvelopeIn(const fs::path& file) {
  auto envelope = DecodeEnvelope(Slurp(file));
  REQUIRE(envelope);
  return std::move(*envelope);
}

// Where the lab's relay listens, from the configuration the agents read.
std::uint16_t RelayPort(const Lab& lab) {
  auto config = Settings::Parse(Slurp(lab.folder() / "config/agent-1.yaml"), "agent-1.yaml");
  REQUIRE(config);
  auto relays = config->Sections("relays");
  REQUIRE(relays.size() == 1);
  return static_cast<std::uint16_t>(relays[0].Integer("port", 0, 1, 65535));
}

}  // namespace

Deployment::Deployment(const Lab& lab)
    : root(KeyIn(lab.folder() / "keys/root.key")),
      investigator(KeyIn(lab.folder() / "keys/investigator.key")),
      root_document(EnvelopeIn(lab.folder() / "trust/root.1.json")) {
  org = *OrgId::FromBytes(Sha256(root_document.payload));
  auto decoded = DecodePolicy(EnvelopeIn(lab.folder() / "trust/policy.json").payload);
  REQUIRE(decoded);
  policy = std::move(*decoded);
  const SecretKey agent_key = KeyIn(lab.folder() / "data/agent-1/agent.key");
  agent = *AgentId::FromBytes(agent_key.public_key().Fingerprint());
}

Action GoodAction(const Deployment& deployment) {
  Action action;
  action.id = *ActionId::FromBytes(RandomBytes(ActionId::kBytes));
  action.org = deployment.org;
  action.kind = Kind::kInvestigate;
  action.name = "courier test";
  action.target = "all";
  action.validfrom = Now() - std::chrono::seconds(60);
  action.expireafter = Now() + std::chrono::seconds(60);
  action.operations.push_back({"example", {{"gethostname", true}}});
  return action;
}

Envelope Signed(const Action& action, const SecretKey& key) {
  return Seal(kActionType, EncodeAction(action), key);
}

Courier::Courier(const Lab& lab) {
  const KeyPairPem ca{Slurp(lab.folder() / "tls/servers-ca.key"),
                      Slurp(lab.folder() / "tls/servers-ca.crt")};
  LeafRequest request;
  request.name = {"scheduler", "courier-1"};
  request.validity = std::chrono::hours(1);
  auto leaf = IssueLeaf(ca, request, Now());
  REQUIRE(leaf);
  const fs::path certificate = lab.scratch() / "courier.crt";
  const fs::path key = lab.scratch() / "courier.key";
  std::ofstream(certificate) << leaf->certificate;
  std::ofstream(key) << leaf->key;

  LinkOptions options;
  options.host = "127.0.0.1";
  options.port = RelayPort(lab);
  options.tls = {(lab.folder() / "tls/servers-ca.crt").string(), certificate.string(),
                 key.string()};
  options.client_id = "courier-1";
  options.clean_start = true;
  options.session_expiry = std::chrono::seconds(0);
  LinkHandlers handlers;
  handlers.connected = [this](bool) { connected_ = true; };
  handlers.message = [this](std::string_view topic, BytesView payload) {
    OnMessage(topic, payload);
  };
  handlers.lost = [](const Error&) {};
  link_ = std::make_unique<MqttLink>(io_, options, std::move(handlers));
  link_->Subscribe({std::string(topics::kUpFilter)});
  link_->Start();
  REQUIRE(RunUntil(std::chrono::seconds(10), [&] { return connected_; }));
}

void Courier::OnMessage(std::string_view topic, BytesView payload) {
  const auto up = topics::ParseUp(topic);
  if (!up || up->kind != topics::UpKind::kResult) return;
  auto envelope = DecodeEnvelope(payload);
  REQUIRE(envelope);
  if (envelope->payload_type == kReceiptType) {
    auto receipt = DecodeReceipt(envelope->payload);
    REQUIRE(receipt);
    if (receipt->state == "received") return;
    answers_[receipt->action].push_back({receipt->state, receipt->code, receipt->detail});
  } else if (envelope->payload_type == kResultType) {
    auto part = DecodeResultPart(envelope->payload);
    REQUIRE(part);
    if (!part->last) return;
    ++final_parts_[part->action];
    answers_[part->action].push_back({std::string(CommandStatusName(*part->status)), "", ""});
  }
}

void Courier::SendRaw(const std::string& topic, Bytes payload) {
  bool done = false;
  link_->Publish(topic, std::move(payload), 1, std::chrono::seconds(60), false,
                 [&](Expected<void> outcome) {
                   CHECK(outcome);
                   done = true;
                 });
  REQUIRE(RunUntil(std::chrono::seconds(10), [&] { return done; }));
}

void Courier::SendCommand(const AgentId& agent, const Envelope& action) {
  SendRaw(topics::Command(agent), EncodeCommand({EnvelopeToJson(action)}));
}

void Courier::SendPolicy(const AgentId& agent, const Deployment& deployment, const Policy& policy) {
  PolicyUpdate update;
  update.roots.push_back(EnvelopeToJson(deployment.root_document));
  update.policy = EnvelopeToJson(Seal(kPolicyType, EncodePolicy(policy), deployment.root));
  SendRaw(topics::Control(agent), EncodeControl(update));
}

bool Courier::RunUntil(std::chrono::seconds deadline, const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    io_.restart();
    io_.run_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::optional<Courier::Answer> Courier::WaitForAnswer(const ActionId& action,
                                                      std::chrono::seconds deadline) {
  const auto terminal = [&]() -> const Answer* {
    for (const Answer& answer : answers_[action]) {
      if (answer.state != "started") return &answer;
    }
    return nullptr;
  };
  if (!RunUntil(deadline, [&] { return terminal() != nullptr; })) return std::nullopt;
  return *terminal();
}

int Courier::FinalParts(const ActionId& action) const {
  const auto found = final_parts_.find(action);
  return found == final_parts_.end() ? 0 : found->second;
}

}  // namespace mig::e2e
