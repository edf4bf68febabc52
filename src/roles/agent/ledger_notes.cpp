#include "roles/agent/ledger_notes.h"

namespace mig::agent {
namespace {

// Text of an action that nobody known has signed is somebody's bytes: bounded, so that forged
// commands cannot fill the ledger with a few messages.
constexpr std::size_t kMaxForeignText = 256;

std::string Cut(std::string_view text) {
  if (text.size() <= kMaxForeignText) return std::string(text);
  return std::string(text.substr(0, kMaxForeignText)) + "…";
}

json::array Modules(const Action& action) {
  json::array modules;
  for (const Operation& operation : action.operations) {
    modules.push_back(json::value(operation.module));
  }
  return modules;
}

void AddSuppressed(json::object& facts, std::uint64_t suppressed) {
  if (suppressed > 0) facts["suppressed"] = json::FromUint(suppressed);
}

}  // namespace

LedgerNote StartupNote(UtcTime now, std::string_view version, std::string_view boot) {
  return {now, "startup", {{"version", version}, {"boot", boot}}};
}

LedgerNote PolicyNote(UtcTime now, const TrustedPolicy& policy) {
  return {now,
          "policy",
          {{"version", json::FromUint(policy.policy().version)},
           {"root", json::FromUint(policy.root_version())},
           {"digest", EncodeHex(policy.policy_digest())}}};
}

LedgerNote IdentityNote(UtcTime now, const AgentId& agent, const AgentId& before) {
  return {now, "identity", {{"agent", agent.Text()}, {"before", before.Text()}}};
}

LedgerNote HeldNote(UtcTime now, const AgentId& agent) {
  return {now, "held", {{"agent", agent.Text()}}};
}

LedgerNote AcceptedNote(UtcTime now, const Accepted& accepted) {
  const Action& action = accepted.action;
  json::object facts = {{"action", action.id.Text()},
                        {"name", action.name},
                        {"people", json::array(accepted.people.begin(), accepted.people.end())},
                        {"digest", EncodeHex(accepted.digest)},
                        {"expireafter", FormatRfc3339(action.expireafter)}};
  if (action.kind == Kind::kStop) {
    facts["stops"] = action.stops->Text();
    return {now, "stopped", std::move(facts)};
  }
  facts["kind"] = KindName(action.kind);
  facts["target"] = action.target;
  facts["modules"] = Modules(action);
  if (!action.reason.empty()) facts["reason"] = action.reason;
  return {now, "accepted", std::move(facts)};
}

LedgerNote RefusedNote(UtcTime now, const Decision& decision, std::uint64_t suppressed) {
  json::object facts = {{"code", RefusalCode(decision.refused->code)},
                        {"detail", json::FromName(Cut(decision.refused->detail))}};
  if (decision.action) {
    facts["action"] = decision.action->id.Text();
    facts["name"] = json::FromName(Cut(decision.action->name));
    facts["modules"] = Modules(*decision.action);
    // Without this, nothing above is more than what the sender wrote.
    facts["signed"] = decision.authentic;
  }
  AddSuppressed(facts, suppressed);
  return {now, "refused", std::move(facts)};
}

LedgerNote UnreadableNote(UtcTime now, std::string_view why, std::uint64_t suppressed) {
  json::object facts = {{"code", RefusalCode(Refusal::kMalformed)},
                        {"detail", json::FromName(Cut(why))}};
  AddSuppressed(facts, suppressed);
  return {now, "refused", std::move(facts)};
}

LedgerNote StartedNote(UtcTime now, const ActionId& action, std::uint32_t attempt) {
  return {now, "started", {{"action", action.Text()}, {"attempt", attempt}}};
}

LedgerNote AnsweredNote(UtcTime now, const AnswerFacts& facts) {
  return {now,
          "answered",
          {{"action", facts.action.Text()},
           {"status", CommandStatusName(facts.status)},
           {"parts", json::FromUint(facts.parts)},
           {"elements", json::FromUint(facts.elements)},
           {"bytes", json::FromUint(facts.bytes)},
           {"result", EncodeHex(facts.result)}}};
}

}  // namespace mig::agent
