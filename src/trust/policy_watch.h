// When a process that runs for months writes into its log what trust/policy_warnings.h finds: as
// soon as there is something new to say, and then once a day, however often it looks. Pure but for
// LogPolicyWarnings.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "trust/policy_warnings.h"
#include "util/clock.h"

namespace mig {

// How often to ask, so that what becomes urgent is said in time.
inline constexpr std::chrono::hours kPolicyWatchPeriod{1};

class PolicyWatch {
 public:
  // Those of WarningsAbout that are to be said at `now`: about another policy than before, urgent
  // for the first time, gone and back, or last said a day ago. They count as said.
  std::vector<PolicyWarning> Due(const TrustedPolicy& policy, const Freshness* freshness,
                                 UtcTime now);

 private:
  struct Said {
    std::uint64_t version;
    bool urgent;
    UtcTime time;
  };
  std::map<PolicyWarning::About, Said> said_;
};

// Urgent ones as errors, the others as warnings.
void LogPolicyWarnings(std::span<const PolicyWarning> warnings);

}  // namespace mig
