#include "trust/policy_watch.h"

#include <algorithm>

#include "util/log.h"

namespace mig {
namespace {

constexpr std::chrono::hours kSayAgain{24};

}  // namespace

std::vector<PolicyWarning> PolicyWatch::Due(const TrustedPolicy& policy, const Freshness* freshness,
                                            UtcTime now) {
  auto warnings = WarningsAbout(policy, freshness, now);
  std::erase_if(said_, [&](const auto& entry) {
    return std::none_of(warnings.begin(), warnings.end(),
                        [&](const PolicyWarning& warning) { return warning.about == entry.first; });
  });
  std::erase_if(warnings, [&](const PolicyWarning& warning) {
    const auto said = said_.find(warning.about);
    // A clock that was set back must not keep us silent until it has caught up.
    return said != said_.end() && said->second.version == policy.policy().version &&
           (said->second.urgent || !warning.urgent) && now >= said->second.time &&
           now - said->second.time < kSayAgain;
  });
  for (const PolicyWarning& warning : warnings) {
    said_[warning.about] = {policy.policy().version, warning.urgent, now};
  }
  return warnings;
}

void LogPolicyWarnings(std::span<const PolicyWarning> warnings) {
  for (const PolicyWarning& warning : warnings) {
    warning.urgent ? log::Error(warning.text) : log::Warning(warning.text);
  }
}

}  // namespace mig
