// What a person should hear about a policy before it stops working: in time, in plain words, the
// same everywhere. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/freshness.h"
#include "trust/policy_chain.h"
#include "util/clock.h"

namespace mig {

// First said this long before the policy expires, and urgently this long before.
inline constexpr std::chrono::hours kExpiryRemark{14 * 24};
inline constexpr std::chrono::hours kExpiryAlarm{3 * 24};

// What makes a freshness statement, as people type it.
inline constexpr std::string_view kFreshCommand = "mig policy fresh --key FRESHNESS_KEY --publish";

struct PolicyWarning {
  enum class About { kExpiry, kFreshness };

  About about = About::kExpiry;
  bool urgent = false;  // something is refused already, or will be within days
  std::string text;     // one sentence with what to do, no full stop
};

// Most urgent first; empty when all is well. `freshness` is what VerifyFreshness believed for this
// policy, null: nothing. A statement is mentioned when it is older than half of what the policy
// allows; a policy without freshness keys is not (nobody may change anything by it, and that may be
// what its owners want).
std::vector<PolicyWarning> WarningsAbout(const TrustedPolicy& policy, const Freshness* freshness,
                                         UtcTime now);
std::vector<PolicyWarning> WarningsAbout(const TrustedPolicy& policy,
                                         const std::optional<Freshness>& freshness, UtcTime now);

// "3 of 40 agents hold an older policy than version 7: they get it when they are next connected";
// nothing when none does. `older` of `total`.
std::optional<std::string> OldPolicyRemark(std::uint64_t older, std::uint64_t total,
                                           std::uint64_t version);

// "13 days", "5 hours", "40 minutes": the largest unit, cut.
std::string AboutDuration(std::chrono::milliseconds duration);

}  // namespace mig
