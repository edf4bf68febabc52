#include "roles/client/old_policies.h"

#include "trust/policy_warnings.h"

namespace mig {

void RemarkOnOldPolicies(std::span<const json::object> agents, std::uint64_t in_force,
                         cli::Terminal& terminal) {
  std::uint64_t older = 0;
  for (const json::object& fields : agents) {
    json::ObjectReader in(fields, "agent", json::ObjectReader::Unknown::kIgnore);
    const std::uint64_t held = in.OptionalUint64("policy", 0);
    if (in.ok() && held < in_force) ++older;
  }
  if (auto remark = OldPolicyRemark(older, agents.size(), in_force)) {
    terminal.Remark("Note: " + *remark + ".", cli::Style::kYellow);
  }
}

}  // namespace mig
