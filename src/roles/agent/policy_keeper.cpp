#include "roles/agent/policy_keeper.h"

#include "roles/agent/crash_points.h"
#include "roles/agent/ledger_notes.h"
#include "util/log.h"

namespace mig::agent {
namespace {

Expected<TrustedPolicy> Verify(const OrgId& org, const PolicyUpdate& update) {
  std::vector<Envelope> roots;
  for (const json::object& root : update.roots) {
    auto envelope = EnvelopeFromJson(root, "roots[" + std::to_string(roots.size()) + "]");
    if (!envelope) return std::move(envelope).error();
    roots.push_back(std::move(*envelope));
  }
  auto policy = EnvelopeFromJson(update.policy, "policy");
  if (!policy) return std::move(policy).error();
  return VerifyPolicyChain(org, roots, *policy);
}

// What is stored: the statement has a place of its own, since it changes every hour.
PolicyUpdate DocumentsOf(const PolicyUpdate& update) {
  PolicyUpdate documents = update;
  documents.freshness.reset();
  return documents;
}

Expected<TrustedPolicy> VerifyStored(const OrgId& org, BytesView documents) {
  auto control = DecodeControl(documents);
  if (!control) return std::move(control).error();
  const auto* update = std::get_if<PolicyUpdate>(&*control);
  if (update == nullptr) return Error(Errc::kMalformed, "is no policy");
  return Verify(org, *update);
}

Expected<Freshness> VerifyStatement(BytesView text, const TrustedPolicy& policy) {
  auto envelope = DecodeEnvelope(text);
  if (!envelope) return std::move(envelope).error();
  return VerifyFreshness(*envelope, policy);
}

}  // namespace

Expected<HeldPolicy> VerifyHeld(const OrgId& org, const store::AgentDb::TrustState& state) {
  HeldPolicy held;
  if (state.documents.empty()) return held;
  auto trusted = VerifyStored(org, state.documents);
  if (!trusted) return std::move(trusted).error();
  held.policy = std::move(*trusted);
  if (state.freshness.empty()) return held;
  auto freshness = VerifyStatement(state.freshness, *held.policy);
  if (freshness) {
    held.freshness = std::move(*freshness);
  } else {
    held.stale = std::move(freshness).error();
  }
  return held;
}

Expected<PolicyKeeper> PolicyKeeper::Load(const OrgId& org, store::AgentDb& db) {
  auto state = db.Trust();
  if (!state) return std::move(state).error();
  PolicyKeeper keeper(org, db);
  keeper.floor_ = TimeFloor(state->time_floor);
  auto held = VerifyHeld(org, *state);
  if (!held) {
    log::Error("the stored policy does not verify; nothing runs until a good one arrives",
               {{"reason", held.error().message()}});
    return keeper;
  }
  if (held->stale) {
    log::Error("the stored freshness statement does not verify",
               {{"reason", held->stale->message()}});
  }
  keeper.policy_ = std::move(held->policy);
  keeper.freshness_ = std::move(held->freshness);
  return keeper;
}

Expected<PolicyStep> PolicyKeeper::Offer(const PolicyUpdate& update, UtcTime clock) {
  auto step = OfferDocuments(update, clock);
  if (!step || !update.freshness) return step;
  if (auto kept = OfferFreshness(*update.freshness, clock); !kept) {
    log::Warning("freshness statement not taken", {{"reason", kept.error().message()}});
  }
  return step;
}

Expected<void> PolicyKeeper::OfferFreshness(const json::object& fields, UtcTime clock) {
  auto envelope = EnvelopeFromJson(fields, "freshness");
  if (!envelope) return std::move(envelope).error();
  auto offered = VerifyFreshness(*envelope, *policy_);
  if (!offered) return std::move(offered).error();
  // One from the future would keep all the others away until then.
  if (offered->time > AgentTime(clock) + kFreshnessSkew) {
    return Error(Errc::kInvalid, "it says " + FormatRfc3339(offered->time) +
                                     ", this agent's time is " + FormatRfc3339(AgentTime(clock)));
  }
  if (freshness_ && offered->time <= freshness_->time) return {};
  Crash("agent.freshness.before");
  // Does not raise the floor: its key lies on a machine that signs by itself.
  auto stored = db_->KeepFreshness(EncodeEnvelope(*envelope));
  if (!stored) return stored;
  Crash("agent.freshness.stored");
  freshness_ = std::move(*offered);
  return {};
}

Expected<PolicyStep> PolicyKeeper::OfferDocuments(const PolicyUpdate& update, UtcTime clock) {
  auto trusted = Verify(org_, update);
  if (!trusted) return std::move(trusted).error();
  if (policy_) {
    auto step = CompareForUpdate(*policy_, *trusted);
    if (!step || *step == PolicyStep::kSame) return step;
  }
  TimeFloor floor = floor_;
  floor.RaiseBy(*trusted);
  Crash("agent.policy.before");
  auto stored = db_->KeepPolicy(trusted->root_version(), trusted->policy().version,
                                EncodeControl(DocumentsOf(update)), floor.floor(),
                                PolicyNote(clock, *trusted));
  if (!stored) return std::move(stored).error();
  Crash("agent.policy.stored");
  floor_ = floor;
  policy_ = std::move(*trusted);
  freshness_.reset();
  log::Info("policy taken", {{"version", std::to_string(version())},
                             {"root", std::to_string(policy_->root_version())}});
  return PolicyStep::kNewer;
}

UtcTime PolicyKeeper::FloorWith(const Action& accepted) const {
  TimeFloor floor = floor_;
  floor.RaiseBy(accepted);
  return floor.floor();
}

}  // namespace mig::agent
