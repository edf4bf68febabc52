// An attacker owns relay and scheduler and carries whatever it likes to an agent. Each order is
// refused with its own reason, and nothing runs.
#include <catch2/catch.hpp>

#include "proto/command.h"
#include "proto/topics.h"
#include "test/e2e/courier.h"

using namespace mig;
using namespace mig::e2e;

namespace {

// One lab for all cases of this file; Catch2 runs one case per process under ctest, so each case
// here is a whole scenario.
struct Scene {
  Lab lab;
  Deployment deployment{lab};
  Courier courier{lab};

  // Carries it to the agent: the code of its refusal, or what else it answers. What is refused did
  // not run either.
  std::string RefusalOf(const Envelope& envelope, const ActionId& id) {
    const int runs_before = lab.Runs(id.Text());
    courier.SendCommand(deployment.agent, envelope);
    const auto answer = courier.WaitForAnswer(id);
    if (!answer) return "silence";
    if (answer->state != "refused") return "answered: " + answer->state;  // "expired" is one, too
    INFO(answer->detail);
    CHECK_FALSE(answer->detail.empty());
    CHECK(lab.Runs(id.Text()) == runs_before);
    return answer->code;
  }
  std::string RefusalOf(const Action& action, const SecretKey& key) {
    return RefusalOf(Signed(action, key), action.id);
  }
};

}  // namespace

TEST_CASE("agent: orders that people did not give are refused with their reason", "[e2e]") {
  Scene scene;
  Lab& lab = scene.lab;
  Deployment& deployment = scene.deployment;
  Courier& courier = scene.courier;

  const auto refusal = [&scene](const Action& action, const SecretKey& key) {
    return scene.RefusalOf(action, key);
  };

  // The control: what is refused below is refused for its own fault, not for this courier's.
  const Action good = GoodAction(deployment);
  CHECK(refusal(good, deployment.investigator) == "answered: success");

  SECTION("altered, unsigned or signed by strangers") {
    Action action = GoodAction(deployment);
    Envelope altered = Signed(action, deployment.investigator);
    const auto at = altered.payload.find("courier test");
    REQUIRE(at != Bytes::npos);
    altered.payload[at] = 'C';
    CHECK(scene.RefusalOf(altered, action.id) == "bad_signature");

    action = GoodAction(deployment);
    CHECK(refusal(action, SecretKey::Generate()) == "unknown_signer");

    // One good signature does not carry a stranger's along.
    action = GoodAction(deployment);
    Envelope both = Signed(action, deployment.investigator);
    AddSignature(both, SecretKey::Generate());
    CHECK(scene.RefusalOf(both, action.id) == "unknown_signer");
  }

  SECTION("for another deployment, another machine, another time") {
    Action action = GoodAction(deployment);
    action.org = *OrgId::FromBytes(RandomBytes(OrgId::kBytes));
    CHECK(refusal(action, deployment.investigator) == "wrong_org");

    action = GoodAction(deployment);
    action.target = "name = 'some-other-host'";
    CHECK(refusal(action, deployment.investigator) == "not_targeted");

    action = GoodAction(deployment);
    action.validfrom = Now() - std::chrono::hours(2);
    action.expireafter = Now() - std::chrono::hours(1);
    CHECK(refusal(action, deployment.investigator) == "expired");

    action = GoodAction(deployment);
    action.validfrom = Now() + std::chrono::hours(1);
    action.expireafter = Now() + std::chrono::hours(2);
    CHECK(refusal(action, deployment.investigator) == "not_yet_valid");

    action = GoodAction(deployment);
    action.policy = deployment.policy.version + 1;
    CHECK(refusal(action, deployment.investigator) == "policy_too_old");
  }

  SECTION("replayed, or a used id with other bytes") {
    courier.SendCommand(deployment.agent, Signed(good, deployment.investigator));
    REQUIRE(courier.RunUntil(std::chrono::seconds(10),
                             [&] { return courier.FinalParts(good.id) >= 2; }));
    // The stored answer came again; the ledger knows one run.
    CHECK(lab.Runs(good.id.Text()) == 1);

    Action other = good;
    other.name = "other bytes under a used id";
    courier.Forget(good.id);
    CHECK(refusal(other, deployment.investigator) == "id_reused");
  }
}

TEST_CASE("agent: weight is counted in distinct people, for every operation", "[e2e]") {
  Scene scene;
  Deployment& deployment = scene.deployment;
  Courier& courier = scene.courier;

  // Version 2 of the policy, by the same root: `file` needs two people, `example` one.
  const SecretKey alice_second = SecretKey::Generate();
  const SecretKey bob = SecretKey::Generate();
  Policy policy = deployment.policy;
  policy.version = 2;
  REQUIRE(policy.people.size() == 1);
  const std::string alice_id = policy.people[0].id;
  policy.people[0].keys.push_back({"ed25519", Bytes(alice_second.public_key().View())});
  policy.people.push_back({"bob", "Bob", true, {{"ed25519", Bytes(bob.public_key().View())}}});
  policy.modules["file"] = {2, {{alice_id, 1}, {"bob", 1}}, {}};
  policy.modules["example"] = {1, {{alice_id, 1}}, {}};
  courier.SendPolicy(deployment.agent, deployment, policy);

  const json::object parameters = {
      {"searches",
       json::object{{"s1", json::object{{"paths", json::array{"/etc"}},
                                        {"names", json::array{"^passwd$"}},
                                        {"options", json::object{{"matchall", true}}}}}}}};
  const auto file_action = [&] {
    Action action = GoodAction(deployment);
    action.policy = 2;
    action.operations = {{"file", parameters}};
    return action;
  };

  Action action = file_action();
  CHECK(scene.RefusalOf(action, deployment.investigator) == "too_little_weight");

  // The same person twice, with the same key and with two of her keys.
  action = file_action();
  Envelope twice = Signed(action, deployment.investigator);
  AddSignature(twice, deployment.investigator);
  CHECK(scene.RefusalOf(twice, action.id) == "too_little_weight");
  action = file_action();
  twice = Signed(action, deployment.investigator);
  AddSignature(twice, alice_second);
  CHECK(scene.RefusalOf(twice, action.id) == "too_little_weight");

  // The first operation is allowed, the second is not.
  action = file_action();
  action.operations.insert(action.operations.begin(), {"example", {{"gethostname", true}}});
  CHECK(scene.RefusalOf(action, deployment.investigator) == "too_little_weight");

  action = file_action();
  Envelope both = Signed(action, deployment.investigator);
  AddSignature(both, bob);
  CHECK(scene.RefusalOf(both, action.id) == "answered: success");

  // The first version again: kept out, so two people are still needed.
  courier.SendPolicy(deployment.agent, deployment, deployment.policy);
  action = file_action();
  action.policy = 1;
  CHECK(scene.RefusalOf(action, deployment.investigator) == "too_little_weight");
}

TEST_CASE("agent: a policy that the root did not sign changes nothing", "[e2e]") {
  Scene scene;
  Deployment& deployment = scene.deployment;
  Courier& courier = scene.courier;
  const SecretKey mallory = SecretKey::Generate();
  Policy policy = deployment.policy;
  policy.version = 99;
  policy.people.push_back(
      {"mallory", "M", true, {{"ed25519", Bytes(mallory.public_key().View())}}});
  policy.modules["default"].weights["mallory"] = 5;
  PolicyUpdate update;
  update.roots.push_back(EnvelopeToJson(deployment.root_document));
  update.policy = EnvelopeToJson(Seal(kPolicyType, EncodePolicy(policy), mallory));
  courier.SendRaw(topics::Control(deployment.agent), EncodeControl(update));

  Action action = GoodAction(deployment);
  CHECK(scene.RefusalOf(action, mallory) == "unknown_signer");
  action = GoodAction(deployment);
  CHECK(scene.RefusalOf(action, deployment.investigator) == "answered: success");
}

TEST_CASE("agent: garbage on its topics leaves it alive", "[e2e]") {
  Scene scene;
  Lab& lab = scene.lab;
  Deployment& deployment = scene.deployment;
  Courier& courier = scene.courier;
  for (const char* garbage : {"", "{", "[]", "{\"action\":7}", "{\"action\":{}}", "\xff\xfe"}) {
    courier.SendRaw(topics::Command(deployment.agent), garbage);
    courier.SendRaw(topics::Control(deployment.agent), garbage);
  }
  const int pid = lab.PidOf("agent-1");
  const Action action = GoodAction(deployment);
  CHECK(scene.RefusalOf(action, deployment.investigator) == "answered: success");
  CHECK(lab.PidOf("agent-1") == pid);
}
