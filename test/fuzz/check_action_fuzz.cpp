// The agent's check on any payload: nothing that nobody signed is accepted, and whatever a person
// did sign is answered without a crash, and accepted only as what it says.
#include <cstdint>
#include <string_view>

#include "test/fuzz/require.h"
#include "trust/authorisation.h"

namespace mig {
namespace {

class NoMemory : public ReplayMemory {
 public:
  Expected<std::optional<Seen>> Find(const ActionId&) const override {
    return std::optional<Seen>();
  }
  Expected<bool> IsStopped(const ActionId&) const override { return false; }
};

// Always the same keys, so that a find can be tried again.
struct World {
  SecretKey root = SecretKey::FromSeed(Bytes(32, 'r')).value();
  SecretKey ann = SecretKey::FromSeed(Bytes(32, 'a')).value();
  UtcTime now = ParseRfc3339("2026-11-23T12:00:00Z").value();
  NoMemory memory;
  Policy policy;
  std::optional<TrustedPolicy> trusted;
  CheckContext context;

  World() {
    Root document;
    document.keys = {{"ed25519", Bytes(root.public_key().View())}};
    document.issued = now;
    const Envelope root_envelope = Seal(kRootType, EncodeRoot(document), root);
    policy.org = OrgOf(root_envelope);
    policy.issued = now;
    policy.expires = now + std::chrono::hours(24);
    policy.people = {{"ann", "Ann", true, {{"ed25519", Bytes(ann.public_key().View())}}}};
    ModuleRule rule{1, {{"ann", 1}}, {}};
    rule.constraints.parameters["searches.*.options.depth"] = {"1"};
    policy.modules["default"] = ModuleRule{1, {{"ann", 1}}, {}};
    policy.modules["file"] = rule;
    policy.validity[Kind::kInvestigate] = std::chrono::hours(24);
    trusted = std::move(*VerifyPolicyChain(policy.org, {root_envelope},
                                           Seal(kPolicyType, EncodePolicy(policy), root)));
    context.policy = &*trusted;
    context.org = policy.org;
    context.now = now;
    context.memory = &memory;
    context.modules = [](std::string_view) {
      ModuleFacts facts;
      facts.check_parameters = [](const json::object&) { return Expected<void>(); };
      return std::optional<ModuleFacts>(facts);
    };
    context.facts.value = [](std::string_view,
                             std::string_view) -> std::optional<std::optional<std::string>> {
      return std::nullopt;
    };
    context.facts.found = [](const ActionId&) { return Truth::kUnknown; };
    context.facts.notfound = context.facts.found;
    context.facts.now = now;
  }
};

}  // namespace
}  // namespace mig

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  using fuzz::Require;
  static const World world;
  const Bytes payload(reinterpret_cast<const char*>(data), size);

  Envelope forged{std::string(kActionType), payload, {}};
  forged.signatures.push_back(
      {EncodeBase32(world.ann.public_key().Fingerprint()), Bytes(64, 's'), "ed25519"});
  const Decision unsigned_one = CheckAction(forged, world.context);
  Require(unsigned_one.refused.has_value() && !unsigned_one.authentic,
          "what nobody signed is refused");

  const Decision decision = CheckAction(Seal(kActionType, payload, world.ann), world.context);
  Require(decision.accepted.has_value() != decision.refused.has_value(), "one of both");
  if (decision.accepted) {
    const Action& action = decision.accepted->action;
    Require(action.org == world.policy.org, "of this deployment");
    Require(action.validfrom <= world.now && world.now < action.expireafter, "in its time");
    Require(action.kind == Kind::kInvestigate || action.kind == Kind::kStop, "of a kind allowed");
    Require(FirstAbove(action.limits, world.policy.ceilings).empty() || action.kind == Kind::kStop,
            "within the ceilings");
  }
  return 0;
}
