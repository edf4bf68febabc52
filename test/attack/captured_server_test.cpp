// The attacker owns relay, scheduler, API and store: every signed document ever made is theirs to
// keep, to hold back and to send again, but no person's key.
#include "proto/access.h"
#include "test/attack/victim.h"

namespace mig::attack {
namespace {

TEST_CASE("attack: a captured server invents an action", "[attack]") {
  Victim victim;
  const Action action = victim.Look();
  CHECK(victim.Deliver(Deployment::Sign(action, {&victim.deployment.eve})) ==
        "refused unknown_signer");
  Envelope claimed = Deployment::Sign(action, {&victim.deployment.eve});
  claimed.signatures[0].keyid = Deployment::IdOf(victim.deployment.ann).Text();
  CHECK(victim.Deliver(claimed) == "refused bad_signature");
  claimed.signatures.clear();
  CHECK(victim.Deliver(claimed) == "nothing");  // no envelope at all
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: a captured server replays an action", "[attack]") {
  Victim victim;
  const Envelope envelope = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  CHECK(victim.Deliver(envelope) == "received");
  CHECK(victim.Waiting() == 1);
  CHECK(victim.Deliver(envelope) == "received");
  CHECK(victim.Waiting() == 1);
  victim.Restart();
  CHECK(victim.Deliver(envelope) == "received");  // answered again, not put in line again
  CHECK(victim.Waiting() == 0);
  // One more good signature makes other bytes, and is still the same action.
  Envelope again = envelope;
  AddSignature(again, victim.deployment.bob);
  CHECK(victim.Deliver(again) == "received");
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: a captured server sends an action to another machine", "[attack]") {
  Victim victim;
  Action elsewhere = victim.Look();
  elsewhere.target = "name = 'db1'";
  CHECK(victim.Deliver(Deployment::Sign(elsewhere, {&victim.deployment.ann})) ==
        "refused not_targeted");
  // A target that leaves it to the server: to look that is enough, to act it is not.
  Action online = victim.Response();
  online.target = "status = 'online'";
  online.audience->root = MerkleTree({"", "\xfe", "\xff"}).root();
  const Envelope signed_by_two =
      Deployment::Sign(online, {&victim.deployment.ann, &victim.deployment.bob});
  CHECK(victim.Deliver(signed_by_two) == "refused not_in_audience");
  CHECK(victim.Deliver(signed_by_two, victim.Proof()) == "refused not_in_audience");
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: a captured server strips a signature", "[attack]") {
  Victim victim;
  const Envelope both =
      Deployment::Sign(victim.Response(), {&victim.deployment.ann, &victim.deployment.bob});
  Envelope one = both;
  one.signatures.pop_back();
  CHECK(victim.Deliver(one, victim.Proof()) == "refused too_little_weight");
  Envelope twice = one;
  twice.signatures.push_back(twice.signatures[0]);
  CHECK(victim.Deliver(twice, victim.Proof()) == "refused too_little_weight");
  CHECK(victim.Waiting() == 0);
  CHECK(victim.Deliver(both, victim.Proof()) == "received");
}

TEST_CASE("attack: a captured server swaps signatures between two actions", "[attack]") {
  Victim victim;
  Envelope first = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  Envelope second = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  std::swap(first.signatures, second.signatures);
  CHECK(victim.Deliver(first) == "refused bad_signature");
  CHECK(victim.Deliver(second) == "refused bad_signature");
  // A session or a policy that somebody signed is no action either.
  Envelope session = Seal(kSessionType, first.payload, victim.deployment.ann);
  session.payload_type = kActionType;
  CHECK(victim.Deliver(session) == "refused bad_signature");
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: a captured server swaps operations between two signed actions", "[attack]") {
  Victim victim;
  Action small = victim.Look();
  small.operations[0].parameters["word"] = "small";
  Action large = victim.Look();
  large.operations[0].parameters["word"] = "large";
  const Envelope one = Deployment::Sign(small, {&victim.deployment.ann});
  Envelope spliced = one;
  spliced.payload.replace(spliced.payload.find("small"), 5, "large");
  CHECK(victim.Deliver(spliced) == "refused bad_signature");
  // The whole of the other payload under the first one's signature.
  spliced.payload = EncodeAction(large);
  CHECK(victim.Deliver(spliced) == "refused bad_signature");
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: a captured server rolls the policy back", "[attack]") {
  Victim victim;
  const PolicyUpdate before = victim.Documents();
  victim.deployment.policy.revoked.insert(Deployment::IdOf(victim.deployment.ann));
  victim.Publish();
  CHECK_FALSE(victim.policy->Offer(before, victim.deployment.now));
  victim.Restart();
  CHECK_FALSE(victim.policy->Offer(before, victim.deployment.now));
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) ==
        "refused revoked_signer");
}

TEST_CASE("attack: a captured server keeps a newer policy back", "[attack]") {
  Victim victim;
  const SecretKey* stolen = &victim.deployment.ann;
  Deployment& deployment = victim.deployment;
  const auto at = [&](hours later) {
    Action response = victim.Response();
    response.validfrom += later;
    response.expireafter += later;
    deployment.now += later;
    const std::string said =
        victim.Deliver(Deployment::Sign(response, {stolen, &deployment.bob}), victim.Proof());
    deployment.now -= later;
    return said;
  };
  CHECK(at(hours(1)) == "received");
  // Ann's key is revoked in a policy that never arrives. The last statement of freshness ages.
  CHECK(at(hours(25)) == "refused not_fresh");
  // A statement about the new policy does not speak for the old one.
  PolicyUpdate mixed = victim.Documents();
  ++deployment.policy.version;
  deployment.now += hours(25);
  mixed.freshness = EnvelopeToJson(deployment.SignedFreshness(deployment.now));
  REQUIRE(victim.policy->Offer(mixed, deployment.now));
  Action response = victim.Response();
  response.policy = 1;
  CHECK(victim.Deliver(Deployment::Sign(response, {stolen, &deployment.bob}), victim.Proof()) ==
        "refused not_fresh");
  // What is not stopped: to look, the old policy serves until it expires.
  Action look = victim.Look();
  look.policy = 1;
  CHECK(victim.Deliver(Deployment::Sign(look, {stolen})) == "received");
  deployment.now = deployment.policy.expires;
  look = victim.Look();
  look.policy = 1;
  CHECK(victim.Deliver(Deployment::Sign(look, {stolen})) == "refused no_policy");
}

TEST_CASE("attack: a captured server changes what form a signature claims", "[attack]") {
  Victim victim;
  for (const char* form : {"ed25519", "openpgp", "sshsig", "none", "rsa"}) {
    Envelope good = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
    good.signatures[0].form = form;
    CHECK(victim.Deliver(good) == "received");
    Envelope forged = Deployment::Sign(victim.Look(), {&victim.deployment.eve});
    forged.signatures[0].keyid = Deployment::IdOf(victim.deployment.ann).Text();
    forged.signatures[0].form = form;
    CHECK(victim.Deliver(forged) == "refused bad_signature");
  }
  CHECK(victim.Waiting() == 5);
}

TEST_CASE("attack: a captured server delivers a stop before its action", "[attack]") {
  Victim victim;
  const Action action = victim.Look();
  // People stopped it; the order in which the server delivers does not matter.
  CHECK(victim.Deliver(Deployment::Sign(victim.deployment.StopFor(action.id),
                                        {&victim.deployment.bob})) == "received");
  victim.Restart();
  CHECK(victim.Deliver(Deployment::Sign(action, {&victim.deployment.ann})) == "refused stopped");
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: a captured server delivers what a revoked key signed before", "[attack]") {
  Victim victim;
  const Action action = victim.Look();
  const Envelope envelope = Deployment::Sign(action, {&victim.deployment.ann});
  CHECK(victim.Deliver(envelope) == "received");
  const auto remembered = victim.db->Recall(action.id);
  REQUIRE((remembered && *remembered));
  victim.deployment.policy.revoked.insert(Deployment::IdOf(victim.deployment.ann));
  victim.Publish();
  // Neither what waits in line nor what comes now is begun.
  CHECK_FALSE(victim.desk->Recheck(**remembered, victim.deployment.now));
  CHECK(victim.Deliver(envelope) == "refused revoked_signer");
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) ==
        "refused revoked_signer");
}

TEST_CASE("attack: a captured server sends oversized and deeply nested envelopes", "[attack]") {
  Victim victim;
  const auto take = [&](const Bytes& message) {
    return AgentScene::Said(victim.desk->Take(message, victim.deployment.now));
  };
  Envelope large{std::string(kActionType), Bytes(300 * 1024, 'x'), {}};
  AddSignature(large, victim.deployment.ann);
  CHECK(victim.Deliver(large) == "nothing");
  Envelope many = Deployment::Sign(victim.Look(), {&victim.deployment.ann});
  many.signatures.resize(33, many.signatures[0]);
  CHECK(victim.Deliver(many) == "nothing");
  CHECK(take("{\"action\":" + Bytes(100'000, '[')) == "nothing");
  CHECK(take(Bytes(100'000, '{')) == "nothing");
  // Signed by a person, and so deep that a careless reader's stack would end.
  Bytes deep = EncodeAction(victim.Look());
  const std::size_t at = deep.find("\"parameters\":{") + 14;
  deep.insert(at, "\"word\":" + Bytes(20'000, '[') + Bytes(20'000, ']') + ",");
  deep.erase(deep.find(",}", at), 1);
  CHECK(victim.Deliver(Seal(kActionType, deep, victim.deployment.ann)) == "nothing");
  CHECK(victim.Waiting() == 0);
  CHECK(victim.Deliver(Deployment::Sign(victim.Look(), {&victim.deployment.ann})) == "received");
}

}  // namespace
}  // namespace mig::attack
