// The policy that the agent believes, and its sense of time: taken from the database at start,
// replaced only by what verifies and is newer, written down before it counts.
#pragma once

#include <optional>

#include "proto/command.h"
#include "store/agent_db.h"
#include "trust/freshness.h"
#include "trust/policy_chain.h"
#include "trust/time_floor.h"

namespace mig::agent {

// What a database holds, verified again.
struct HeldPolicy {
  std::optional<TrustedPolicy> policy;  // nothing: none was taken yet
  std::optional<Freshness> freshness;   // of that policy
  std::optional<Error> stale;           // why the stored statement does not count
};
// From `org` on. Error: documents that do not verify, or are no documents.
Expected<HeldPolicy> VerifyHeld(const OrgId& org, const store::AgentDb::TrustState& state);

class PolicyKeeper {
 public:
  // What the database holds is verified again, from `org` on. Documents that do not verify are left
  // out, with a log line; the versions seen stay, so that nothing older is believed then.
  // Error: the database cannot be read. `db` must outlive the keeper.
  static Expected<PolicyKeeper> Load(const OrgId& org, store::AgentDb& db);

  // Null: none yet, or none that verifies.
  const TrustedPolicy* policy() const { return policy_ ? &*policy_ : nullptr; }
  std::uint64_t version() const { return policy_ ? policy_->policy().version : 0; }
  // What was last said of that policy being the newest, and verified. Null: nothing.
  const Freshness* freshness() const { return freshness_ ? &*freshness_ : nullptr; }
  const OrgId& org() const { return org_; }

  UtcTime AgentTime(UtcTime clock) const { return floor_.AgentTime(clock); }

  // Documents that some courier brought: verified, compared with what is held, stored, believed.
  // Error: kDenied (not signed as it must be, older, or another document of the same version),
  // kMalformed, kInvalid; or it cannot be stored. What was held stays then. A freshness statement
  // beside the documents is kept when it verifies and is newer than the one held; one that does
  // not is logged and changes nothing.
  Expected<PolicyStep> Offer(const PolicyUpdate& update, UtcTime clock);

  // An action that was accepted raises the floor: the new one, to be stored with it.
  UtcTime FloorWith(const Action& accepted) const;
  void RaiseFloor(const Action& accepted) { floor_.RaiseBy(accepted); }

 private:
  PolicyKeeper(const OrgId& org, store::AgentDb& db) : org_(org), db_(&db) {}

  Expected<PolicyStep> OfferDocuments(const PolicyUpdate& update, UtcTime clock);
  Expected<void> OfferFreshness(const json::object& fields, UtcTime clock);

  OrgId org_;
  store::AgentDb* db_;
  std::optional<TrustedPolicy> policy_;
  std::optional<Freshness> freshness_;  // of policy_
  TimeFloor floor_;
};

}  // namespace mig::agent
