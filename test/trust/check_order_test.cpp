// The order of the check is a promise (DESIGN section 4): of two faults the earlier is reported.
// Every pair of faults that one action can have together is tried.
#include <catch2/catch.hpp>

#include "test/trust/scene.h"

namespace mig {
namespace {

struct Fault {
  const char* code;  // as it is reported when it is the first
  void (*apply)(Scene&);
};

// In the order of the check.
const Fault kFaults[] = {
    {"malformed",
     [](Scene& s) {
       s.after_signing.push_back([](Envelope& e) { e.payload_type = kPolicyType; });
     }},
    {"wrong_org", [](Scene& s) { s.action.org = OrgId::FromBytes(Bytes(32, 'x')).value(); }},
    {"no_policy", [](Scene& s) { s.deployment.policy.expires = s.now; }},
    {"policy_too_old", [](Scene& s) { s.action.policy = s.deployment.policy.version + 1; }},
    {"not_fresh", [](Scene& s) { s.freshness.reset(); }},
    {"bad_signature",
     [](Scene& s) { s.after_signing.push_back([](Envelope& e) { e.signatures[0].sig[7] ^= 1; }); }},
    {"unknown_signer", [](Scene& s) { s.signers.push_back(&s.deployment.eve); }},
    {"revoked_signer",
     [](Scene& s) {
       s.signers.push_back(&s.deployment.bob);
       s.deployment.policy.revoked.insert(Deployment::IdOf(s.deployment.bob));
     }},
    {"unsupported", [](Scene& s) { s.modules.erase("other"); }},
    {"wrong_kind", [](Scene& s) { s.modules["example"].kind = Kind::kAdmin; }},
    {"too_little_weight",
     [](Scene& s) { s.deployment.policy.modules["default"].minimumweight = 9; }},
    {"constraint",
     [](Scene& s) {
       s.deployment.policy.modules["default"].constraints.parameters["mode"] = {"quiet"};
     }},
    {"bad_parameters",
     [](Scene& s) {
       s.modules["example"].check_parameters = [](const json::object&) -> Expected<void> {
         return Error(Errc::kInvalid, "no");
       };
     }},
    {"not_yet_valid",
     [](Scene& s) {
       s.action.validfrom = s.now + std::chrono::minutes(10);
       s.action.expireafter = s.now + std::chrono::minutes(20);
     }},
    {"expired",
     [](Scene& s) {
       s.action.validfrom = s.now - std::chrono::minutes(20);
       s.action.expireafter = s.now - std::chrono::minutes(10);
     }},
    {"validity_too_long",
     [](Scene& s) { s.deployment.policy.validity[Kind::kRespond] = std::chrono::minutes(2); }},
    {"id_reused", [](Scene& s) { s.memory.seen[s.action.id] = Bytes(32, 'd'); }},
    {"stopped", [](Scene& s) { s.memory.stopped.insert(s.action.id); }},
    {"not_targeted", [](Scene& s) { s.action.target = "name = 'db1'"; }},
    {"not_in_audience", [](Scene& s) { s.proof.reset(); }},
    {"limits", [](Scene& s) { s.deployment.policy.ceilings.seconds = 5; }},
    {"sandbox",
     [](Scene& s) {
       s.deployment.policy.require_full_sandbox = true;
       s.sandbox_full = false;
     }},
};

std::unique_ptr<Scene> TwoOperations() {
  auto scene = std::make_unique<Scene>();
  // Of a kind that changes something: the check looks at all there is.
  for (const char* module : {"example", "other"}) scene->modules[module].kind = Kind::kRespond;
  scene->Changes(Kind::kRespond, "example");
  scene->action.operations.push_back(Operation{"other", {}});
  return scene;
}

TEST_CASE("check order: without a fault the action is accepted", "[trust]") {
  CHECK(TwoOperations()->Verdict() == "accepted");
}

TEST_CASE("check order: every fault alone has its own code", "[trust]") {
  for (const Fault& fault : kFaults) {
    auto scene = TwoOperations();
    fault.apply(*scene);
    CHECK(scene->Verdict() == fault.code);
  }
}

TEST_CASE("check order: of two faults the earlier is reported", "[trust]") {
  int pairs = 0;
  for (const Fault* first = std::begin(kFaults); first != std::end(kFaults); ++first) {
    for (const Fault* second = first + 1; second != std::end(kFaults); ++second) {
      // No action is both too early and too late.
      if (std::string_view(first->code) == "not_yet_valid" &&
          std::string_view(second->code) == "expired") {
        continue;
      }
      INFO(first->code << " and " << second->code);
      auto scene = TwoOperations();
      first->apply(*scene);
      second->apply(*scene);
      CHECK(scene->Verdict() == first->code);
      ++pairs;
    }
  }
  CHECK(pairs == 230);
}

// With every fault at once, each that is taken away lets the next one show.
TEST_CASE("check order: faults show one after the other", "[trust]") {
  for (const Fault* first = std::begin(kFaults); first != std::end(kFaults); ++first) {
    auto scene = TwoOperations();
    for (const Fault* fault = first; fault != std::end(kFaults); ++fault) {
      if (std::string_view(fault->code) == "expired" && fault != first) continue;
      fault->apply(*scene);
    }
    CHECK(scene->Verdict() == first->code);
  }
}

// A step that has to do with operations looks at all of them before the next step begins.
TEST_CASE("check order: the second operation's earlier fault goes before the first's later one",
          "[trust]") {
  auto scene = TwoOperations();
  scene->modules["other"].kind = Kind::kAdmin;
  kFaults[12].apply(*scene);  // bad_parameters, of the first operation
  CHECK(scene->Verdict() == "wrong_kind");
}

}  // namespace
}  // namespace mig
