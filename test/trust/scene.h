// One action before one agent: everything the check looks at, right until a test breaks it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "crypto/merkle.h"
#include "test/deployment.h"
#include "trust/authorisation.h"

namespace mig {

class FakeMemory : public ReplayMemory {
 public:
  Expected<std::optional<Seen>> Find(const ActionId& id) const override {
    if (broken) return Error(Errc::kIo, "disk on fire");
    const auto found = seen.find(id);
    if (found == seen.end()) return std::optional<Seen>();
    return std::optional<Seen>(Seen{found->second});
  }
  Expected<bool> IsStopped(const ActionId& id) const override { return stopped.contains(id); }

  std::map<ActionId, Bytes> seen;
  std::set<ActionId> stopped;
  bool broken = false;
};

struct Scene {
  Deployment deployment;
  Action action = deployment.ActionFor();
  std::vector<const SecretKey*> signers = {&deployment.ann};
  std::vector<std::function<void(Envelope&)>> after_signing;
  bool policy_held = true;
  // What an action of a kind that changes something needs besides.
  std::optional<Freshness> freshness = deployment.FreshnessAt(deployment.now);
  AgentId agent = AgentId::FromBytes(Bytes(AgentId::kBytes, 'm')).value();
  std::optional<AudienceProof> proof;

  UtcTime now = deployment.now;
  FakeMemory memory;
  std::map<std::string, ModuleFacts, std::less<>> modules;
  std::map<std::string, std::string> tags;
  bool sandbox_full = true;
  bool path_rules_enforceable = true;

  Scene() {
    ModuleFacts looks;
    looks.kind = Kind::kInvestigate;
    looks.check_parameters = [](const json::object&) { return Expected<void>(); };
    modules["example"] = looks;
    modules["other"] = looks;
    looks.paths = [](const json::object& parameters) -> Expected<std::vector<std::string>> {
      std::vector<std::string> paths;
      for (const json::value& path : parameters.at("paths").as_array()) {
        paths.emplace_back(path.as_string());
      }
      return paths;
    };
    modules["file"] = looks;
    ModuleFacts acts = modules["example"];
    acts.kind = Kind::kRespond;
    modules["kill"] = acts;
  }

  // An action of that kind with that module, for this agent and two others.
  void Changes(Kind kind, std::string module) {
    action.kind = kind;
    action.operations = {Operation{std::move(module), json::object{}}};
    const std::vector<Bytes> ids = {Bytes(AgentId::kBytes, 'a'), Bytes(agent.View()),
                                    Bytes(AgentId::kBytes, 'z')};
    const MerkleTree tree(ids);
    action.audience = Audience{tree.size(), tree.root()};
    proof = AudienceProof{1, tree.Proof(1)};
  }

  Envelope Sealed() const {
    Envelope envelope{std::string(kActionType), EncodeAction(action), {}};
    for (const SecretKey* key : signers) AddSignature(envelope, *key);
    for (const auto& change : after_signing) change(envelope);
    return envelope;
  }

  Decision Check(const Envelope& envelope) const {
    const TrustedPolicy trusted = deployment.Trusted();
    CheckContext context;
    context.policy = policy_held ? &trusted : nullptr;
    context.freshness = freshness ? &*freshness : nullptr;
    context.org = deployment.org;
    context.agent = agent;
    context.proof = proof ? &*proof : nullptr;
    context.now = now;
    context.memory = &memory;
    context.modules = [this](std::string_view name) -> std::optional<ModuleFacts> {
      const auto found = modules.find(name);
      if (found == modules.end()) return std::nullopt;
      return found->second;
    };
    context.facts.value = [this](
                              std::string_view field,
                              std::string_view key) -> std::optional<std::optional<std::string>> {
      if (field == "name") return std::optional<std::string>("web1");
      if (field == "tags" && tags.count(std::string(key)) > 0) {
        return std::optional<std::string>(tags.at(std::string(key)));
      }
      return std::nullopt;  // only the server knows
    };
    context.facts.found = [](const ActionId&) { return Truth::kUnknown; };
    context.facts.notfound = [](const ActionId&) { return Truth::kUnknown; };
    context.facts.now = now;
    context.sandbox_full = sandbox_full;
    context.path_rules_enforceable = path_rules_enforceable;
    return CheckAction(envelope, context);
  }
  Decision Check() const { return Check(Sealed()); }

  // The code of the refusal, or "accepted".
  std::string Verdict() const { return VerdictOf(Check()); }
  std::string Verdict(const Envelope& envelope) const { return VerdictOf(Check(envelope)); }

  static std::string VerdictOf(const Decision& decision) {
    CHECK(decision.accepted.has_value() != decision.refused.has_value());
    return decision.refused ? std::string(RefusalCode(decision.refused->code)) : "accepted";
  }
};

}  // namespace mig
