// Rows of the store as the API shows them (docs/api.md). Pure.
#pragma once

#include <span>

#include "store/server_rows.h"
#include "util/json.h"

namespace mig::api {

json::object ViewAction(const store::ActionRow& action, const store::Counters& counters);
// One that waits for signatures: ViewAction's fields, with who signed, what (the stored envelope),
// and how many machines its target matches now.
json::object ViewPending(const store::ActionRow& action,
                         std::span<const store::SignatureRow> signatures, BytesView envelope,
                         std::uint64_t machines);
json::object ViewProposal(const store::ProposalRow& proposal);
json::object ViewRejection(const store::RejectionRow& rejection);
json::object ViewCounters(const store::Counters& counters);
// `copies`: of an agent that is held, the processes that use its identity; newest word first.
json::object ViewAgent(const store::AgentRow& agent,
                       std::span<const store::AgentCopyRow> copies = {});
json::object ViewCommand(const store::CommandRow& command);

// One line of JSON, whatever the stored envelope looks like: it becomes the data of one event.
// `key` is the agent's public key.
Bytes ViewPart(const store::PartRow& part, BytesView key);

}  // namespace mig::api
