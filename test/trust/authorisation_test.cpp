#include "trust/authorisation.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "test/trust/scene.h"

namespace mig {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

std::string DetailOf(const Scene& scene) {
  const Decision decision = scene.Check();
  REQUIRE(decision.refused);
  return decision.refused->detail;
}

bool Has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

TEST_CASE("check: a signed action for this agent is accepted, with who signed it", "[trust]") {
  Scene scene;
  scene.signers = {&scene.deployment.ann, &scene.deployment.bob};
  const Envelope envelope = scene.Sealed();
  const Decision decision = scene.Check(envelope);
  REQUIRE(decision.accepted);
  CHECK(decision.authentic);
  CHECK(decision.accepted->people == std::vector<std::string>{"ann", "bob"});
  CHECK(decision.accepted->digest == Sha256(envelope.payload));
  CHECK(decision.accepted->action.id == scene.action.id);
  CHECK_FALSE(decision.accepted->repeated);
  REQUIRE(decision.accepted->roots.size() == 1);
  CHECK(decision.accepted->roots[0].empty());
}

// ---- What an attacker would try.

TEST_CASE("check: any altered bit of the payload refuses it", "[trust]") {
  const Scene scene;
  const Envelope good = scene.Sealed();
  for (std::size_t i = 0; i < good.payload.size(); ++i) {
    Envelope altered = good;
    altered.payload[i] ^= 1;
    const Decision decision = scene.Check(altered);
    REQUIRE(decision.refused);
    CHECK_FALSE(decision.authentic);
  }
  Envelope longer = good;
  longer.payload += ' ';
  CHECK(scene.Verdict(longer) == "bad_signature");
}

TEST_CASE("check: a payload that cannot be read and is not signed is a bad signature", "[trust]") {
  const Scene scene;
  Envelope altered = scene.Sealed();
  altered.payload[0] = '[';
  const Decision decision = scene.Check(altered);
  CHECK(Scene::VerdictOf(decision) == "bad_signature");
  CHECK_FALSE(decision.action);
}

TEST_CASE("check: a signature does not carry over to another payload type", "[trust]") {
  Scene scene;
  const Bytes payload = EncodeAction(scene.action);
  Envelope envelope = Seal(kPolicyType, payload, scene.deployment.ann);
  envelope.payload_type = kActionType;
  CHECK(scene.Verdict(envelope) == "bad_signature");
}

TEST_CASE("check: an action without a signature is refused", "[trust]") {
  Scene scene;
  scene.signers = {};
  CHECK(scene.Verdict() == "bad_signature");
}

TEST_CASE("check: one unknown signature beside good ones refuses the whole", "[trust]") {
  Scene scene;
  scene.signers = {&scene.deployment.ann, &scene.deployment.eve};
  CHECK(scene.Verdict() == "unknown_signer");
  scene.signers = {&scene.deployment.eve, &scene.deployment.ann};
  CHECK(scene.Verdict() == "unknown_signer");
  scene.signers = {&scene.deployment.ann, &scene.deployment.root_key};
  CHECK(scene.Verdict() == "unknown_signer");
}

TEST_CASE("check: one bad signature beside good ones refuses the whole", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules["default"].minimumweight = 1;
  scene.signers = {&scene.deployment.ann, &scene.deployment.bob};
  scene.after_signing.push_back([](Envelope& e) { e.signatures[1].sig = Bytes(64, '\0'); });
  CHECK(scene.Verdict() == "bad_signature");
  CHECK(Has(DetailOf(scene), "signature 2, which says it is by Bob"));
}

TEST_CASE("check: a stranger's signature under a known person's keyid does not verify", "[trust]") {
  Scene scene;
  scene.signers = {&scene.deployment.eve};
  scene.after_signing.push_back(
      [&](Envelope& e) { e.signatures[0].keyid = Deployment::IdOf(scene.deployment.ann).Text(); });
  CHECK(scene.Verdict() == "bad_signature");
}

TEST_CASE("check: a keyid that is no key id is an unknown signer", "[trust]") {
  for (const char* keyid : {"", "ann", "../../etc/passwd"}) {
    Scene scene;
    scene.after_signing.push_back([&](Envelope& e) { e.signatures[0].keyid = keyid; });
    CHECK(scene.Verdict() == "unknown_signer");
  }
}

TEST_CASE("check: the form that a signature claims changes nothing", "[trust]") {
  Scene scene;
  scene.after_signing.push_back([](Envelope& e) { e.signatures[0].form = "openpgp"; });
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: one person signing twice, or with two keys, weighs once", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules["default"].minimumweight = 2;
  scene.signers = {&scene.deployment.ann, &scene.deployment.ann};
  CHECK(scene.Verdict() == "too_little_weight");
  scene.signers = {&scene.deployment.ann, &scene.deployment.ann_other};
  CHECK(scene.Verdict() == "too_little_weight");
  CHECK(Has(DetailOf(scene), "1 signer of weight 1, needed is 2"));
  scene.signers = {&scene.deployment.ann, &scene.deployment.bob};
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: the second operation's module is not allowed", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules["other"] = ModuleRule{1, {{"bob", 1}}, {}};
  scene.action.operations = {Operation{"example", {}}, Operation{"other", {}}};
  CHECK(scene.Verdict() == "too_little_weight");
  CHECK(Has(DetailOf(scene), "operations[1], module other"));
  scene.signers = {&scene.deployment.ann, &scene.deployment.bob};
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: a module that no rule names may be used by nobody", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules.clear();
  scene.deployment.policy.modules["other"] = ModuleRule{1, {{"ann", 9}}, {}};
  CHECK(scene.Verdict() == "too_little_weight");
}

TEST_CASE("check: another deployment's action is of the wrong org, whoever signed it", "[trust]") {
  const Scene ours;
  const Scene theirs;
  CHECK(ours.Verdict(theirs.Sealed()) == "wrong_org");
  CHECK_FALSE(ours.Check(theirs.Sealed()).authentic);
}

TEST_CASE("check: another deployment's people cannot sign for this one", "[trust]") {
  const Scene ours;
  Scene theirs;
  theirs.action.org = ours.deployment.org;
  CHECK(ours.Verdict(theirs.Sealed()) == "unknown_signer");
}

TEST_CASE("check: a replayed action is repeated, not run", "[trust]") {
  Scene scene;
  const Envelope envelope = scene.Sealed();
  scene.memory.seen[scene.action.id] = Sha256(envelope.payload);
  const Decision decision = scene.Check(envelope);
  REQUIRE(decision.accepted);
  CHECK(decision.accepted->repeated);
}

TEST_CASE("check: a second signature on the same action is the same action", "[trust]") {
  Scene scene;
  Envelope envelope = scene.Sealed();
  scene.memory.seen[scene.action.id] = Sha256(envelope.payload);
  AddSignature(envelope, scene.deployment.bob);
  CHECK(scene.Check(envelope).accepted->repeated);
}

TEST_CASE("check: a repeated action keeps its answer when target and ceilings changed", "[trust]") {
  Scene scene;
  scene.action.target = "name = 'db1'";
  scene.deployment.policy.ceilings.rows = 1;
  const Envelope envelope = scene.Sealed();
  scene.memory.seen[scene.action.id] = Sha256(envelope.payload);
  CHECK(scene.Check(envelope).accepted->repeated);
}

TEST_CASE("check: a repeated action whose signer was revoked since is refused", "[trust]") {
  Scene scene;
  const Envelope envelope = scene.Sealed();
  scene.memory.seen[scene.action.id] = Sha256(envelope.payload);
  scene.deployment.policy.revoked.insert(Deployment::IdOf(scene.deployment.ann));
  CHECK(scene.Verdict(envelope) == "revoked_signer");
}

TEST_CASE("check: the same id with other content is refused", "[trust]") {
  Scene scene;
  scene.memory.seen[scene.action.id] = Sha256(scene.Sealed().payload);
  scene.action.name = "something else";
  CHECK(scene.Verdict() == "id_reused");
}

TEST_CASE("check: a disabled person's and a revoked key's signatures are refused", "[trust]") {
  Scene scene;
  SECTION("revoked key") {
    scene.deployment.policy.revoked.insert(Deployment::IdOf(scene.deployment.ann));
    CHECK(scene.Verdict() == "revoked_signer");
    scene.signers = {&scene.deployment.ann_other};  // her other key is still good
    CHECK(scene.Verdict() == "accepted");
  }
  SECTION("disabled person") {
    scene.deployment.policy.people[0].active = false;
    CHECK(scene.Verdict() == "revoked_signer");
    scene.signers = {&scene.deployment.ann_other};
    CHECK(scene.Verdict() == "revoked_signer");
    CHECK(Has(DetailOf(scene), "is disabled"));
  }
}

TEST_CASE("check: an expired policy lets nothing run, whoever signed", "[trust]") {
  Scene scene;
  scene.now = scene.deployment.policy.expires - minutes(1);
  scene.action.validfrom = scene.now;
  scene.action.expireafter = scene.now + minutes(5);
  CHECK(scene.Verdict() == "accepted");
  scene.now = scene.deployment.policy.expires;
  CHECK(scene.Verdict() == "no_policy");
  scene.policy_held = false;
  CHECK(scene.Verdict() == "no_policy");
}

TEST_CASE("check: a clock set back behind the floor does not make an action valid again",
          "[trust]") {
  Scene scene;
  // What the agent passes as now is the floor, not its clock (trust/time_floor.h).
  scene.now = scene.action.expireafter;
  CHECK(scene.Verdict() == "expired");
  CHECK(Has(DetailOf(scene), "this agent's time is 2026-11-23T12:05:00Z"));
}

TEST_CASE("check: an action is valid from its first instant until before its last", "[trust]") {
  Scene scene;
  scene.now = scene.action.validfrom;
  CHECK(scene.Verdict() == "accepted");
  scene.now = scene.action.validfrom - std::chrono::milliseconds(1);
  CHECK(scene.Verdict() == "not_yet_valid");
  scene.now = scene.action.expireafter - std::chrono::milliseconds(1);
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: the longest validity is that of the kind", "[trust]") {
  Scene scene;
  scene.action.expireafter = scene.action.validfrom + hours(24);
  CHECK(scene.Verdict() == "accepted");
  scene.action.expireafter += minutes(1);
  CHECK(scene.Verdict() == "validity_too_long");

  scene.Changes(Kind::kRespond, "kill");
  scene.action.expireafter = scene.action.validfrom + hours(1);
  CHECK(scene.Verdict() == "accepted");
  scene.deployment.policy.validity.erase(Kind::kRespond);
  CHECK(scene.Verdict() == "validity_too_long");
  CHECK(Has(DetailOf(scene), "allows no action of kind respond"));
}

// ---- Kinds, parameters, target, limits, sandbox.

TEST_CASE("check: looking and acting do not mix in one action", "[trust]") {
  Scene scene;
  scene.action.operations = {Operation{"example", {}}, Operation{"kill", {}}};
  CHECK(scene.Verdict() == "wrong_kind");
  const auto both = scene.action.operations;
  scene.Changes(Kind::kRespond, "kill");
  CHECK(scene.Verdict() == "accepted");
  scene.action.operations = both;
  CHECK(scene.Verdict() == "wrong_kind");
}

TEST_CASE("check: a module that this build lacks is unsupported", "[trust]") {
  Scene scene;
  scene.action.operations[0].module = "nosuch";
  CHECK(scene.Verdict() == "unsupported");
}

TEST_CASE("check: a signed payload with a field from a later version is unsupported", "[trust]") {
  Scene scene;
  for (const char* field :
       {"\"newfield\":1,", "\"audience\":{},", "\"recipients\":[],", "\"attachments\":[],"}) {
    Bytes payload = EncodeAction(scene.action);
    payload.insert(1, field);
    CHECK(scene.Verdict(Seal(kActionType, payload, scene.deployment.ann)) == "unsupported");
  }
}

// DESIGN section 4, "Formats": whatever strict reading refuses has this one code.
TEST_CASE("check: a signed payload that breaks the format is unsupported", "[trust]") {
  const Scene scene;
  for (const char* payload :
       {"", "{", "[]", "null", "{}", "\xff", R"({"id":1,"id":2})", R"({"id":1.5})"}) {
    INFO(payload);
    CHECK(scene.Verdict(Seal(kActionType, payload, scene.deployment.ann)) == "unsupported");
  }
}

TEST_CASE("check: too many bytes or signatures are malformed before anything is verified",
          "[trust]") {
  const Scene scene;
  Envelope many = scene.Sealed();
  many.signatures.resize(kMaxSignatures + 1, many.signatures[0]);
  CHECK(scene.Verdict(many) == "malformed");
  Envelope large = scene.Sealed();
  large.payload.resize(kMaxEnvelopeBytes + 1, ' ');
  CHECK(scene.Verdict(large) == "malformed");
}

TEST_CASE("check: paths outside the policy's are refused, those inside bind the child", "[trust]") {
  Scene scene;
  ModuleRule& rule = scene.deployment.policy.modules["file"];
  rule = ModuleRule{1, {{"ann", 1}}, {}};
  rule.constraints.paths = {"/etc", "/opt"};
  scene.action.operations[0].module = "file";
  scene.action.operations[0].parameters["paths"] = json::array{"/etc/ssl"};
  const Decision decision = scene.Check();
  REQUIRE(decision.accepted);
  CHECK(decision.accepted->roots[0] == std::vector<std::string>{"/etc", "/opt"});

  scene.action.operations[0].parameters["paths"] = json::array{"/etc/ssl", "/etc/../root"};
  CHECK(scene.Verdict() == "constraint");
  scene.action.operations[0].parameters["paths"] = json::array{"/etcetera"};
  CHECK(scene.Verdict() == "constraint");

  scene.action.operations[0].parameters["paths"] = json::array{"/etc/ssl"};
  scene.path_rules_enforceable = false;
  CHECK(scene.Verdict() == "sandbox");
}

TEST_CASE("check: a parameter's value must be allowed", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules["default"].constraints.parameters["protocol"] = {"icmp"};
  scene.action.operations[0].parameters["protocol"] = "icmp";
  CHECK(scene.Verdict() == "accepted");
  scene.action.operations[0].parameters["protocol"] = "tcp";
  CHECK(scene.Verdict() == "constraint");
  CHECK(Has(DetailOf(scene), "operations[0], module example: protocol: `tcp`"));
}

TEST_CASE("check: names in parameters and attachments belong together", "[trust]") {
  Scene scene;
  json::object& parameters = scene.action.operations[0].parameters;
  parameters["words"] = json::array{json::object{{"attachment", "list"}}};
  CHECK(scene.Verdict() == "bad_parameters");
  CHECK(Has(DetailOf(scene), "attachment `list`: the action has none of that name"));
  scene.action.attachments = {{"list", Bytes(32, 'h'), 5}};
  CHECK(scene.Verdict() == "accepted");
  scene.action.attachments.push_back({"other", Bytes(32, 'i'), 5});
  CHECK(scene.Verdict() == "bad_parameters");
  CHECK(Has(DetailOf(scene), "attachment `other`: no parameter refers to it"));
  // Where no list is, no reference is: then the attachment is not used either.
  scene.action.attachments.pop_back();
  parameters["words"] = json::object{{"attachment", "list"}};
  CHECK(scene.Verdict() == "bad_parameters");
}

TEST_CASE("check: a constrained parameter may refer to an attachment, and stays bound", "[trust]") {
  Scene scene;
  Constraints constraints;
  constraints.parameters["protocols"] = {"icmp"};
  scene.deployment.policy.modules["default"].constraints = constraints;
  scene.action.attachments = {{"list", Bytes(32, 'h'), 5}};
  const json::object reference{{"attachment", "list"}};
  json::object& parameters = scene.action.operations[0].parameters;
  parameters["protocols"] = json::array{reference, "tcp"};
  CHECK(scene.Verdict() == "constraint");  // beside it nothing else slips through
  parameters["protocols"] = reference;
  CHECK(scene.Verdict() == "constraint");
  parameters["protocols"] = json::array{reference};
  const Decision decision = scene.Check();
  REQUIRE(decision.accepted);
  // What the runner holds the expanded parameters to.
  REQUIRE(decision.accepted->constraints.size() == 1);
  const Constraints& bound = decision.accepted->constraints[0];
  CHECK(CheckConstraints(bound, {{"protocols", {"icmp", "icmp"}}}, {}));
  const auto refused = CheckConstraints(bound, {{"protocols", {"icmp", "tcp"}}}, {});
  REQUIRE_FALSE(refused);
  CHECK(Has(refused.error().message(), "protocols: `tcp`"));
}

TEST_CASE("check: to look, an undecidable target is enough; to act, it is not", "[trust]") {
  Scene scene;
  scene.action.target = "status = 'online'";
  CHECK(scene.Verdict() == "accepted");
  scene.action.target = "status = 'online' AND name = 'db1'";
  CHECK(scene.Verdict() == "not_targeted");

  scene.Changes(Kind::kRespond, "kill");
  scene.action.target = "status = 'online' AND name = 'db1'";
  CHECK(scene.Verdict() == "not_targeted");
  scene.action.target = "status = 'online'";
  CHECK(scene.Verdict() == "accepted");  // its signers saw this machine in their list
  scene.proof.reset();
  CHECK(scene.Verdict() == "not_in_audience");
  scene.action.target = "name = 'web1'";
  CHECK(scene.Verdict() == "not_in_audience");
}

// ---- What changes something: audience and freshness.

TEST_CASE("check: an action that changes something is for the machines its signers saw",
          "[trust]") {
  for (const Kind kind : {Kind::kRespond, Kind::kAdmin}) {
    Scene scene;
    scene.deployment.policy.validity[Kind::kAdmin] = hours(1);
    scene.modules["kill"].kind = kind;
    scene.Changes(kind, "kill");
    CHECK(scene.Verdict() == "accepted");
    scene.agent = AgentId::FromBytes(Bytes(AgentId::kBytes, 'y')).value();
    CHECK(scene.Verdict() == "not_in_audience");  // the proof is another agent's
    scene.agent = AgentId::FromBytes(Bytes(AgentId::kBytes, 'm')).value();
    scene.proof->index = 0;
    CHECK(scene.Verdict() == "not_in_audience");
    scene.proof->index = 1;
    scene.proof->path.back()[0] ^= 1;
    CHECK(scene.Verdict() == "not_in_audience");
    scene.proof->path.back()[0] ^= 1;
    scene.action.audience->size = 9;
    CHECK(scene.Verdict() == "not_in_audience");
    scene.action.audience.reset();
    CHECK(scene.Verdict() == "unsupported");
  }
}

TEST_CASE("check: an investigation may name its machines, and then reaches no other", "[trust]") {
  Scene scene;
  scene.Changes(Kind::kInvestigate, "example");
  CHECK(scene.Verdict() == "accepted");
  scene.proof.reset();
  CHECK(scene.Verdict() == "not_in_audience");
}

TEST_CASE("check: changing something needs a word of today that the policy is the newest",
          "[trust]") {
  Scene scene;
  scene.Changes(Kind::kRespond, "kill");
  scene.freshness->time = scene.now - hours(24);
  CHECK(scene.Verdict() == "accepted");
  scene.freshness->time -= std::chrono::seconds(1);
  CHECK(scene.Verdict() == "not_fresh");
  CHECK(Has(DetailOf(scene), "older than 1d"));
  scene.freshness->time = scene.now + minutes(5);
  CHECK(scene.Verdict() == "accepted");
  scene.freshness->time += std::chrono::seconds(1);
  CHECK(scene.Verdict() == "not_fresh");
  CHECK(Has(DetailOf(scene), "from the future"));
  scene.freshness.reset();
  CHECK(scene.Verdict() == "not_fresh");
  scene.freshness = scene.deployment.FreshnessAt(scene.now);
  scene.deployment.policy.freshness->age = hours(1);
  scene.freshness->time = scene.now - minutes(61);
  CHECK(scene.Verdict() == "not_fresh");
  scene.deployment.policy.freshness.reset();
  scene.freshness->time = scene.now;
  CHECK(scene.Verdict() == "not_fresh");
  CHECK(Has(DetailOf(scene), "names no freshness key"));
}

TEST_CASE("check: looking and stopping need no fresh word", "[trust]") {
  Scene scene;
  scene.freshness.reset();
  scene.deployment.policy.freshness.reset();
  CHECK(scene.Verdict() == "accepted");
  scene.action = scene.deployment.StopFor(scene.action.id);
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: without a module's own rule that of the kind counts, before the default",
          "[trust]") {
  Scene scene;
  scene.Changes(Kind::kRespond, "kill");
  CHECK(scene.Verdict() == "accepted");
  scene.deployment.policy.kinds[Kind::kRespond] = ModuleRule{2, {{"ann", 1}, {"bob", 1}}, {}};
  CHECK(scene.Verdict() == "too_little_weight");
  scene.signers = {&scene.deployment.ann, &scene.deployment.ann_other};
  CHECK(scene.Verdict() == "too_little_weight");
  scene.signers = {&scene.deployment.ann, &scene.deployment.bob};
  CHECK(scene.Verdict() == "accepted");
  scene.signers = {&scene.deployment.ann};
  scene.deployment.policy.modules["kill"] = ModuleRule{1, {{"ann", 1}}, {}};
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: the policy may demand a full sandbox for what needs one", "[trust]") {
  Scene scene;
  scene.deployment.policy.require_full_sandbox = true;
  CHECK(scene.Verdict() == "accepted");
  scene.sandbox_full = false;
  CHECK(scene.Verdict() == "sandbox");
  scene.modules["example"].needs_sandbox = false;
  CHECK(scene.Verdict() == "accepted");
}

TEST_CASE("check: a memory that cannot be read refuses everything", "[trust]") {
  Scene scene;
  scene.memory.broken = true;
  CHECK(scene.Verdict() == "ledger");
}

// ---- Stops.

TEST_CASE("check: any one active person may stop, without any weight", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules.clear();
  scene.deployment.policy.ceilings.seconds = 1;
  scene.action = scene.deployment.StopFor(scene.action.id);
  scene.signers = {&scene.deployment.bob};
  CHECK(scene.Verdict() == "accepted");
  scene.signers = {&scene.deployment.eve};
  CHECK(scene.Verdict() == "unknown_signer");
  scene.signers = {};
  CHECK(scene.Verdict() == "bad_signature");
  scene.signers = {&scene.deployment.bob};
  scene.deployment.policy.people[1].active = false;
  CHECK(scene.Verdict() == "revoked_signer");
}

TEST_CASE("check: a stop has a longest validity too", "[trust]") {
  Scene scene;
  scene.action = scene.deployment.StopFor(scene.action.id);
  scene.action.expireafter = scene.action.validfrom + kMaxStopValidity;
  CHECK(scene.Verdict() == "accepted");
  scene.action.expireafter += minutes(1);
  CHECK(scene.Verdict() == "validity_too_long");
}

TEST_CASE("check: an action whose stop came first is refused", "[trust]") {
  Scene scene;
  scene.memory.stopped.insert(scene.action.id);
  CHECK(scene.Verdict() == "stopped");
}

// ---- The door of the API.

TEST_CASE("signatures: the API's check counts people and weight, and refuses as the agent does",
          "[trust]") {
  Scene scene;
  scene.deployment.policy.modules["default"].minimumweight = 2;
  const TrustedPolicy trusted = scene.deployment.Trusted();
  auto check = CheckSignatures(scene.Sealed(), scene.action, trusted);
  CHECK_FALSE(check.refused);
  CHECK_FALSE(check.weight_reached);
  CHECK(check.people == std::vector<std::string>{"ann"});

  scene.signers = {&scene.deployment.bob, &scene.deployment.ann};
  check = CheckSignatures(scene.Sealed(), scene.action, trusted);
  CHECK(check.weight_reached);
  CHECK(check.people == std::vector<std::string>{"ann", "bob"});

  scene.signers.push_back(&scene.deployment.eve);
  check = CheckSignatures(scene.Sealed(), scene.action, trusted);
  REQUIRE(check.refused);
  CHECK(check.refused->code == Refusal::kUnknownSigner);
  CHECK(check.people.empty());
  CHECK_FALSE(check.weight_reached);

  Action newer = scene.action;
  newer.policy = 4;
  CHECK(CheckSignatures(scene.Sealed(), newer, trusted).refused->code == Refusal::kPolicyTooOld);
  Action foreign = scene.action;
  foreign.org = OrgId();
  CHECK(CheckSignatures(scene.Sealed(), foreign, trusted).refused->code == Refusal::kWrongOrg);
}

TEST_CASE("signatures: a stop needs one person and no weight", "[trust]") {
  Scene scene;
  scene.deployment.policy.modules.clear();
  scene.action = scene.deployment.StopFor(scene.action.id);
  const auto check = CheckSignatures(scene.Sealed(), scene.action, scene.deployment.Trusted());
  CHECK_FALSE(check.refused);
  CHECK(check.weight_reached);
}

}  // namespace
}  // namespace mig
