// One agent as its disk, its policy and its command desk make it, without network, and a deployment
// whose documents the attacker may hand to it as they please. Each test in this folder is one
// attack: its name says what the attacker holds and what they try; docs/security.md lists them all
// with what stops them.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "crypto/merkle.h"
#include "test/roles/agent/agent_scene.h"

namespace mig::attack {

using agent::AgentScene;
using std::chrono::hours;
using std::chrono::minutes;

struct Victim : AgentScene {
  Victim() {
    // As most deployments have it: to look takes one person, to act two.
    deployment.policy.kinds[Kind::kRespond] = ModuleRule{2, {{"ann", 1}, {"bob", 1}}, {}};
    Publish();
  }

  // The policy as it stands in `deployment` becomes the next version, and reaches the agent with a
  // statement of this hour.
  void Publish() {
    ++deployment.policy.version;
    deployment.policy.issued = deployment.now;
    Refresh();
  }
  void Refresh() {
    auto taken = policy->Offer(Documents(), deployment.now);
    if (!taken) FAIL(taken.error().message());
  }
  PolicyUpdate Documents() const {
    PolicyUpdate update = Update();
    update.freshness = EnvelopeToJson(deployment.SignedFreshness(deployment.now));
    return update;
  }

  // A response for this machine and two others, and the proof of its place among them.
  Action Response() const {
    Action action = deployment.ActionFor("act");
    action.kind = Kind::kRespond;
    action.audience = Audience{Machines().size(), Machines().root()};
    return action;
  }
  MerkleTree Machines() const { return MerkleTree({"", Bytes(self.id.View()), "\xff"}); }
  AudienceProof Proof() const { return {1, Machines().Proof(1)}; }

  std::string Deliver(const Envelope& envelope) { return Deliver(envelope, std::nullopt); }
  std::string Deliver(const Envelope& envelope, std::optional<AudienceProof> proof) {
    Command command{EnvelopeToJson(envelope), std::move(proof)};
    return Said(desk->Take(EncodeCommand(command), deployment.now));
  }

  // What waits to be run. An attack that is stopped leaves nothing here.
  std::size_t Waiting() const { return queue->queued(); }
};

}  // namespace mig::attack
