// The attacker is an investigator, or holds the laptop and key of one: whatever they sign verifies.
// The policy decides how far that goes.
#include "test/attack/victim.h"

namespace mig::attack {
namespace {

TEST_CASE("attack: one person signs with two keys", "[attack]") {
  Victim victim;
  const Action response = victim.Response();
  CHECK(victim.Deliver(
            Deployment::Sign(response, {&victim.deployment.ann, &victim.deployment.ann_other}),
            victim.Proof()) == "refused too_little_weight");
  // Nor by the same key under a second type's name: such a policy is none.
  victim.deployment.policy.people[1].keys = {
      DocumentKey{"sk-ed25519", Bytes(victim.deployment.ann.public_key().View()) + "ssh:"}};
  ++victim.deployment.policy.version;
  CHECK_FALSE(victim.policy->Offer(victim.Update(), victim.deployment.now));
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: one person asks for what needs two in an action that needs one", "[attack]") {
  Victim victim;
  Action hidden = victim.Look();
  hidden.operations.push_back(Operation{"act", {}});
  CHECK(victim.Deliver(Deployment::Sign(hidden, {&victim.deployment.ann})) == "refused wrong_kind");
  hidden.operations = {Operation{"act", {}}};
  CHECK(victim.Deliver(Deployment::Sign(hidden, {&victim.deployment.ann})) == "refused wrong_kind");
  CHECK(victim.Waiting() == 0);
}

TEST_CASE("attack: an action without operations", "[attack]") {
  Victim victim;
  Action empty = victim.Look();
  empty.operations.clear();
  // Nothing to weigh, so a careless check would find every weight reached.
  CHECK(victim.Deliver(Deployment::Sign(empty, {&victim.deployment.ann})) == "nothing");
  CHECK(victim.Waiting() == 0);
  CHECK(victim.Events().back() == "refused");
}

TEST_CASE("attack: a parameter's constraint dodged in the text", "[attack]") {
  Victim victim;
  ModuleRule rule{1, {{"ann", 1}}, {}};
  rule.constraints.paths = {"/srv/open"};
  victim.deployment.policy.modules["read"] = rule;
  victim.Publish();
  const auto reading = [&](std::initializer_list<const char*> paths) {
    Action action = victim.Look();
    json::object searches;
    int number = 0;
    for (const char* path : paths) {
      searches["s" + std::to_string(++number)] = json::object{{"paths", json::array{path}}};
    }
    action.operations = {Operation{"read", json::object{{"searches", std::move(searches)}}}};
    return victim.Deliver(Deployment::Sign(action, {&victim.deployment.ann}));
  };
  CHECK(reading({"/srv/open"}) == "received");
  CHECK(reading({"/srv/open/x/../y"}) == "refused constraint");
  for (const char* path :
       {"/", "/srv", "/srv/opened", "/srv/OPEN", "/SRV/open", "/srv/open/../secret", "srv/open",
        "/srv/open/..", "//srv/../etc", "/proc/self/root/etc", ""}) {
    INFO(path);
    CHECK(reading({path}).starts_with("refused"));
    CHECK(reading({"/srv/open", path}).starts_with("refused"));  // in a second search
  }
  // No path at all means the module's default, which is everything.
  Action bare = victim.Look();
  bare.operations = {
      Operation{"read", json::object{{"searches", json::object{{"s", json::object{}}}}}}};
  CHECK(victim.Deliver(Deployment::Sign(bare, {&victim.deployment.ann})) == "refused constraint");
  // And in a second operation.
  bare.operations = {Operation{"look", {}}, bare.operations[0]};
  CHECK(victim.Deliver(Deployment::Sign(bare, {&victim.deployment.ann})) == "refused constraint");
  CHECK(victim.Waiting() == 1);
}

TEST_CASE("attack: an action that outlives what the policy allows", "[attack]") {
  Victim victim;
  Action lasting = victim.Look();
  lasting.expireafter = lasting.validfrom + hours(24 * 365);
  CHECK(victim.Deliver(Deployment::Sign(lasting, {&victim.deployment.ann})) ==
        "refused validity_too_long");
  Action response = victim.Response();
  response.expireafter = response.validfrom + hours(2);
  CHECK(victim.Deliver(Deployment::Sign(response, {&victim.deployment.ann, &victim.deployment.bob}),
                       victim.Proof()) == "refused validity_too_long");
  Action greedy = victim.Look();
  greedy.limits.seconds = victim.deployment.policy.ceilings.seconds + 1;
  CHECK(victim.Deliver(Deployment::Sign(greedy, {&victim.deployment.ann})) == "refused limits");
}

TEST_CASE("attack: a second action under the id of one that was answered", "[attack]") {
  Victim victim;
  Action action = victim.Look();
  CHECK(victim.Deliver(Deployment::Sign(action, {&victim.deployment.ann})) == "received");
  action.operations[0].parameters["word"] = "another";
  CHECK(victim.Deliver(Deployment::Sign(action, {&victim.deployment.ann})) == "refused id_reused");
  CHECK(victim.Waiting() == 1);
}

}  // namespace
}  // namespace mig::attack
