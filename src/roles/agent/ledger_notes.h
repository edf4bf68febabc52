// What the agent tells its ledger: for each event, which facts. Digests, counts and what people
// signed; never an element of a result. Pure. roles/agent/report.h says them in plain words.
#pragma once

#include <cstdint>
#include <string>

#include "store/agent_db.h"
#include "trust/authorisation.h"
#include "util/clock.h"

namespace mig::agent {

using store::LedgerNote;

// The agent begins to run. `boot` is the random id of this run of the process.
LedgerNote StartupNote(UtcTime now, std::string_view version, std::string_view boot);
// A policy was believed and stored.
LedgerNote PolicyNote(UtcTime now, const TrustedPolicy& policy);

// The machine was given another key than that of `before`.
LedgerNote IdentityNote(UtcTime now, const AgentId& agent, const AgentId& before);
// The server says that another machine uses this identity.
LedgerNote HeldNote(UtcTime now, const AgentId& agent);

// An action was accepted; of kind stop: what it stops.
LedgerNote AcceptedNote(UtcTime now, const Accepted& accepted);
// `suppressed`: how many refusals before this one were not noted (roles/agent/refusal_log.h).
LedgerNote RefusedNote(UtcTime now, const Decision& decision, std::uint64_t suppressed);
// Bytes that were not even an envelope.
LedgerNote UnreadableNote(UtcTime now, std::string_view why, std::uint64_t suppressed);

LedgerNote StartedNote(UtcTime now, const ActionId& action, std::uint32_t attempt);

struct AnswerFacts {
  ActionId action;
  CommandStatus status = CommandStatus::kSuccess;
  std::uint64_t parts = 0;
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  Bytes result;  // digest of the last part, which chains to all before
};
LedgerNote AnsweredNote(UtcTime now, const AnswerFacts& facts);

}  // namespace mig::agent
