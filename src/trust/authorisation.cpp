#include "trust/authorisation.h"

#include <array>
#include <cassert>

#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/attachment_references.h"
#include "trust/constraints.h"
#include "trust/signers.h"

namespace mig {
namespace {

using Outcome = std::optional<Refused>;  // nothing: the step is passed

// One run of the check. The constructor verifies, then reads; each step is one line of DESIGN
// section 4 and may rely on all steps before it.
class Check {
 public:
  Check(const Envelope& envelope, const CheckContext& context);

  Decision Run();

 private:
  Outcome EnvelopeForm();
  Outcome Org();
  Outcome PolicyHeld();
  Outcome PolicyVersion();
  Outcome Fresh();
  Outcome Signatures();
  Outcome Payload();
  Outcome Modules();
  Outcome Kinds();
  Outcome Weights();
  Outcome PolicyConstraints();
  Outcome Parameters();
  Outcome TimeWindow();
  Outcome Id();
  Outcome TargetHere();
  Outcome InAudience();
  Outcome WithinLimits();
  Outcome Sandbox();

  struct Step {
    Outcome (Check::*run)();
    bool even_repeated;  // also for an action that was accepted before
  };
  static const std::array<Step, 18> kSteps;

  std::string Where(std::size_t operation) const {
    return "operations[" + std::to_string(operation) + "], module " +
           action_->operations[operation].module + ": ";
  }
  const ModuleRule& Rule(std::size_t operation) const {
    const ModuleRule* rule =
        context_.policy->RuleFor(action_->operations[operation].module, action_->kind);
    assert(rule != nullptr && "Weights() refuses an operation without a rule");
    return *rule;
  }

  const Envelope& envelope_;
  const CheckContext& context_;
  bool well_formed_ = false;
  Bytes digest_;
  Signers signers_;
  std::optional<Action> action_;
  std::optional<Error> unreadable_;   // why there is no action_
  std::vector<ModuleFacts> modules_;  // one for each operation, from Modules() on
  bool repeated_ = false;
};

// A repeated action was targeted, and within the limits, when it was accepted; tags or ceilings
// that changed since do not take back the answer that was given.
constexpr bool kAlways = true;
constexpr bool kFirstTime = false;

const std::array<Check::Step, 18> Check::kSteps = {{
    {&Check::EnvelopeForm, kAlways},
    {&Check::Org, kAlways},
    {&Check::PolicyHeld, kAlways},
    {&Check::PolicyVersion, kAlways},
    {&Check::Fresh, kAlways},
    {&Check::Signatures, kAlways},
    {&Check::Payload, kAlways},
    {&Check::Modules, kAlways},
    {&Check::Kinds, kAlways},
    {&Check::Weights, kAlways},
    {&Check::PolicyConstraints, kAlways},
    {&Check::Parameters, kAlways},
    {&Check::TimeWindow, kAlways},
    {&Check::Id, kAlways},
    {&Check::TargetHere, kFirstTime},
    {&Check::InAudience, kFirstTime},
    {&Check::WithinLimits, kFirstTime},
    {&Check::Sandbox, kFirstTime},
}};

Check::Check(const Envelope& envelope, const CheckContext& context)
    : envelope_(envelope), context_(context) {
  assert(context.memory != nullptr);
  well_formed_ = envelope.payload_type == kActionType &&
                 envelope.payload.size() <= kMaxEnvelopeBytes &&
                 envelope.signatures.size() <= kMaxSignatures;
  if (!well_formed_) return;
  digest_ = Sha256(envelope.payload);
  if (context.policy != nullptr) signers_ = CheckSigners(envelope, *context.policy);
  auto action = DecodeAction(envelope.payload);
  if (action) {
    action_ = std::move(*action);
  } else {
    unreadable_ = std::move(action).error();
  }
}

Outcome Check::EnvelopeForm() {
  if (well_formed_) return std::nullopt;
  if (envelope_.payload_type != kActionType) {
    return Refused{Refusal::kMalformed, "payload type `" + envelope_.payload_type.substr(0, 128) +
                                            "` is not an action's"};
  }
  return Refused{Refusal::kMalformed, "the envelope is too large, or has too many signatures"};
}

Outcome Check::Org() {
  if (!action_ || action_->org == context_.org) return std::nullopt;
  return Refused{Refusal::kWrongOrg, "the action is for deployment " + action_->org.Text() +
                                         ", this agent belongs to " + context_.org.Text()};
}

Outcome Check::PolicyHeld() {
  if (context_.policy == nullptr) {
    return Refused{Refusal::kNoPolicy, "this agent has not received a policy yet"};
  }
  const Policy& policy = context_.policy->policy();
  if (context_.now < policy.expires) return std::nullopt;
  return Refused{Refusal::kNoPolicy, "policy version " + std::to_string(policy.version) +
                                         " expired at " + FormatRfc3339(policy.expires) +
                                         "; this agent's time is " + FormatRfc3339(context_.now)};
}

Outcome Check::PolicyVersion() {
  const std::uint64_t held = context_.policy->policy().version;
  if (!action_ || action_->policy <= held) return std::nullopt;
  return Refused{Refusal::kPolicyTooOld, "the action wants policy version " +
                                             std::to_string(action_->policy) +
                                             ", this agent holds " + std::to_string(held)};
}

// Whoever keeps newer policies from an agent keeps a revoked key alive there. To look, that has to
// be borne until the policy expires; to change something it has not.
Outcome Check::Fresh() {
  if (!action_ || !ChangesSomething(action_->kind)) return std::nullopt;
  if (auto stale = CheckFreshness(context_.freshness, *context_.policy, context_.now)) {
    return Refused{Refusal::kNotFresh, std::move(*stale)};
  }
  return std::nullopt;
}

Outcome Check::Signatures() { return signers_.refused; }

Outcome Check::Payload() {
  if (action_) return std::nullopt;
  return Refused{Refusal::kUnsupported, unreadable_->message()};
}

Outcome Check::Modules() {
  for (std::size_t i = 0; i < action_->operations.size(); ++i) {
    auto facts = context_.modules(action_->operations[i].module);
    if (!facts) return Refused{Refusal::kUnsupported, Where(i) + "this agent does not have it"};
    modules_.push_back(std::move(*facts));
  }
  return std::nullopt;
}

Outcome Check::Kinds() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    if (modules_[i].kind == action_->kind) continue;
    return Refused{Refusal::kWrongKind,
                   Where(i) + "is of kind " + std::string(KindName(modules_[i].kind)) +
                       ", the action of kind " + std::string(KindName(action_->kind))};
  }
  return std::nullopt;
}

Outcome Check::Weights() {
  return CheckWeights(action_->operations, action_->kind, signers_.people, *context_.policy);
}

Outcome Check::PolicyConstraints() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    auto ok =
        CheckConstraints(Rule(i).constraints, action_->operations[i].parameters, modules_[i].paths);
    if (!ok) return Refused{Refusal::kConstraint, Where(i) + ok.error().message()};
  }
  return std::nullopt;
}

Outcome Check::Parameters() {
  auto referred = CheckAttachmentReferences(action_->operations, action_->attachments);
  if (!referred) return Refused{Refusal::kBadParameters, referred.error().message()};
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    if (!modules_[i].check_parameters) continue;
    if (auto ok = modules_[i].check_parameters(action_->operations[i].parameters); !ok) {
      return Refused{Refusal::kBadParameters, Where(i) + ok.error().message()};
    }
  }
  return std::nullopt;
}

Outcome Check::TimeWindow() {
  const std::string clock = "; this agent's time is " + FormatRfc3339(context_.now);
  if (context_.now < action_->validfrom) {
    return Refused{Refusal::kNotYetValid,
                   "valid from " + FormatRfc3339(action_->validfrom) + clock};
  }
  if (context_.now >= action_->expireafter) {
    return Refused{Refusal::kExpired, "expired at " + FormatRfc3339(action_->expireafter) + clock};
  }
  std::chrono::milliseconds allowed = kMaxStopValidity;
  if (action_->kind != Kind::kStop) {
    const auto& longest = context_.policy->policy().validity;
    const auto found = longest.find(action_->kind);
    if (found == longest.end()) {
      return Refused{Refusal::kValidityTooLong,
                     "the policy allows no action of kind " + std::string(KindName(action_->kind))};
    }
    allowed = found->second;
  }
  const auto asked = action_->expireafter - action_->validfrom;
  if (asked > allowed) {
    return Refused{Refusal::kValidityTooLong, "valid for " + FormatDuration(asked) +
                                                  ", the policy allows " + FormatDuration(allowed) +
                                                  " for kind " +
                                                  std::string(KindName(action_->kind))};
  }
  return std::nullopt;
}

Outcome Check::Id() {
  const auto seen = context_.memory->Find(action_->id);
  if (!seen) return Refused{Refusal::kLedger, seen.error().message()};
  if (*seen) {
    if ((*seen)->digest != digest_) {
      return Refused{Refusal::kIdReused, "id " + action_->id.Text() +
                                             " was used before, by an action with other content"};
    }
    repeated_ = true;
    return std::nullopt;
  }
  const auto stopped = context_.memory->IsStopped(action_->id);
  if (!stopped) return Refused{Refusal::kLedger, stopped.error().message()};
  if (*stopped) return Refused{Refusal::kStopped, "a stop came before the action"};
  return std::nullopt;
}

Outcome Check::TargetHere() {
  const auto target = Target::Parse(action_->target);
  // The decoder has parsed it already; a build in which the two disagree must not run anything.
  if (!target) return Refused{Refusal::kUnsupported, "target: " + target.error().message()};
  const Truth truth = target->Evaluate(context_.facts);
  if (truth == Truth::kFalse) {
    return Refused{Refusal::kNotTargeted, "`" + action_->target + "` is false here"};
  }
  // What only the server knows (status, found(…)) is unknown here. To look, that is enough; what
  // changes something goes by the audience besides, so that it is not the server who chooses.
  return std::nullopt;
}

Outcome Check::InAudience() {
  if (!action_->audience) return std::nullopt;  // the decoder knows which kinds must have one
  if (context_.proof == nullptr) {
    return Refused{Refusal::kNotInAudience, "no proof came with it that this agent is among the " +
                                                std::to_string(action_->audience->size) +
                                                " it was signed for"};
  }
  const AudienceProof& proof = *context_.proof;
  if (VerifyInclusion(context_.agent.View(), proof.index, action_->audience->size, proof.path,
                      action_->audience->root)) {
    return std::nullopt;
  }
  return Refused{Refusal::kNotInAudience, "this agent is not among the " +
                                              std::to_string(action_->audience->size) +
                                              " it was signed for"};
}

Outcome Check::WithinLimits() {
  if (action_->kind == Kind::kStop) return std::nullopt;  // runs nothing
  const std::string above = FirstAbove(action_->limits, context_.policy->policy().ceilings);
  if (above.empty()) return std::nullopt;
  return Refused{Refusal::kLimits, "limits." + above + " is above the policy's ceiling"};
}

Outcome Check::Sandbox() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    if (!Rule(i).constraints.paths.empty() && !context_.path_rules_enforceable) {
      return Refused{
          Refusal::kSandbox,
          Where(i) + "the policy bounds its paths, and this kernel cannot hold it there"};
    }
    if (modules_[i].needs_sandbox && context_.policy->policy().require_full_sandbox &&
        !context_.sandbox_full) {
      return Refused{Refusal::kSandbox,
                     Where(i) + "the policy demands a full sandbox, which this kernel lacks"};
    }
  }
  return std::nullopt;
}

Decision Check::Run() {
  Decision decision;
  for (const Step& step : kSteps) {
    if (repeated_ && !step.even_repeated) continue;
    decision.refused = (this->*step.run)();
    if (decision.refused) break;
  }
  decision.authentic =
      well_formed_ && context_.policy != nullptr && !signers_.refused && action_.has_value();
  if (!decision.refused) {
    Accepted accepted;
    accepted.action = *action_;
    accepted.digest = digest_;
    accepted.people.assign(signers_.people.begin(), signers_.people.end());
    accepted.repeated = repeated_;
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      accepted.roots.push_back(Rule(i).constraints.paths);
      accepted.constraints.push_back(Rule(i).constraints);
    }
    decision.accepted = std::move(accepted);
  }
  decision.action = std::move(action_);
  return decision;
}

}  // namespace

Decision CheckAction(const Envelope& envelope, const CheckContext& context) {
  return Check(envelope, context).Run();
}

SignatureCheck CheckSignatures(const Envelope& envelope, const Action& action,
                               const TrustedPolicy& policy) {
  SignatureCheck check;
  if (envelope.payload_type != kActionType) {
    check.refused =
        Refused{Refusal::kMalformed,
                "payload type `" + envelope.payload_type.substr(0, 128) + "` is not an action's"};
  } else if (action.org != policy.policy().org) {
    check.refused =
        Refused{Refusal::kWrongOrg, "the action is for deployment " + action.org.Text() +
                                        ", this is " + policy.policy().org.Text()};
  } else if (action.policy > policy.policy().version) {
    check.refused = Refused{Refusal::kPolicyTooOld,
                            "the action wants policy version " + std::to_string(action.policy) +
                                ", held is " + std::to_string(policy.policy().version)};
  } else {
    Signers signers = CheckSigners(envelope, policy);
    check.refused = std::move(signers.refused);
    if (!check.refused) {
      check.people.assign(signers.people.begin(), signers.people.end());
      check.weight_reached =
          !CheckWeights(action.operations, action.kind, signers.people, policy).has_value();
    }
  }
  return check;
}

}  // namespace mig
