#include "roles/agent/report_head.h"

#include "roles/agent/policy_keeper.h"
#include "trust/policy_warnings.h"
#include "trust/time_floor.h"
#include "util/text.h"

namespace mig::agent {

ReportHead HeadOf(const std::optional<OrgId>& org, const store::AgentDb::TrustState& state,
                  UtcTime now) {
  if (!org) return {"The agent has not enrolled yet: it belongs to no deployment.\n", nullptr};
  auto held = VerifyHeld(*org, state);
  if (!held) {
    return {"THE STORED POLICY DOES NOT VERIFY, so every action is refused: " +
                EscapeForTerminal(held.error().message()) + ".\n",
            nullptr};
  }
  if (!held->policy) {
    return {"The agent holds no policy yet, so it refuses every action.\n", nullptr};
  }
  const Policy& policy = held->policy->policy();
  const UtcTime time = TimeFloor(state.time_floor).AgentTime(now);
  std::string text = "The agent goes by policy version " + std::to_string(policy.version) +
                     " of deployment " + policy.org.Text() + ", signed by root version " +
                     std::to_string(held->policy->root_version()) + ", until " +
                     FormatRfc3339(policy.expires) + ".\n";
  json::array warnings;
  for (const PolicyWarning& warning : WarningsAbout(*held->policy, held->freshness, time)) {
    text += (warning.urgent ? "WARNING: " : "Note: ") + warning.text + ".\n";
    warnings.push_back(json::object{{"urgent", warning.urgent}, {"text", warning.text}});
  }
  if (held->stale) {
    text += "The stored freshness statement does not verify: " +
            EscapeForTerminal(held->stale->message()) + ".\n";
  }
  return {std::move(text),
          json::object{{"version", json::FromUint(policy.version)},
                       {"root", json::FromUint(held->policy->root_version())},
                       {"org", policy.org.Text()},
                       {"expires", FormatRfc3339(policy.expires)},
                       {"fresh", held->freshness ? json::value(FormatRfc3339(held->freshness->time))
                                                 : json::value(nullptr)},
                       {"warnings", std::move(warnings)}}};
}

}  // namespace mig::agent
