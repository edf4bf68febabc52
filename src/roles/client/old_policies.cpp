#include "roles/client/old_policies.h"

#include "trust/policy_warnings.h"

namespace mig {
namespace {

void Remark(std::uint64_t older, std::uint64_t total, std::uint64_t in_force,
            cli::Terminal& terminal) {
  if (auto remark = OldPolicyRemark(older, total, in_force)) {
    terminal.Remark("Note: " + *remark + ".", cli::Style::kYellow);
  }
}

}  // namespace

void RemarkOnOldPolicies(std::span<const json::object> agents, std::uint64_t in_force,
                         cli::Terminal& terminal) {
  std::uint64_t older = 0;
  for (const json::object& fields : agents) {
    json::ObjectReader in(fields, "agent", json::ObjectReader::Unknown::kIgnore);
    const std::uint64_t held = in.OptionalUint64("policy", 0);
    if (in.ok() && held < in_force) ++older;
  }
  Remark(older, agents.size(), in_force, terminal);
}

void RemarkOnOldPolicies(Connection& connection, cli::Terminal& terminal) {
  auto held = connection.api->CountHeldPolicies();
  if (!held) {
    // What was asked for can be shown all the same.
    terminal.Remark(
        "Note: how many agents hold an older policy is not known: " + held.error().message() + ".",
        cli::Style::kYellow);
    return;
  }
  std::uint64_t older = 0, total = 0;
  for (const auto& [version, agents] : *held) {
    total += agents;
    if (version < connection.policy_version) older += agents;
  }
  Remark(older, total, connection.policy_version, terminal);
}

}  // namespace mig
