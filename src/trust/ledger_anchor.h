// An anchor: a signed word of an agent that says how long its ledger was and which hash it ended
// with. Whoever keeps one outside the machine can show that nothing up to there was altered since;
// the chain alone (trust/ledger_audit.h) could be made anew by whoever owns the disk. Every result
// part, receipt and heartbeat is one. Pure; wire.md, "Anchors".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/envelope.h"
#include "proto/ids.h"
#include "proto/result.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

struct LedgerAnchor {
  AgentId agent;
  Bytes key;         // the agent's public key: its hash is `agent`
  LedgerMark mark;   // as the agent signed it
  UtcTime time;      // by the agent's clock
  std::string what;  // "result", "receipt", "heartbeat"
  std::optional<ActionId> action;
  std::string held_by;  // who keeps it: a note of the holder's, signed by nobody
  Envelope envelope;
};

// The anchor in a signed word of the agent with this key. Verifies before it parses.
// Errors: kDenied: not signed by that key, or in the name of another agent; kUnsupported: a payload
// that carries no mark; kMalformed.
Expected<LedgerAnchor> AnchorIn(Envelope envelope, BytesView key, std::string held_by);

// One anchor in a file. Only key, envelope and holder are read; what else stands there is for
// people and follows from the envelope. Errors as AnchorIn.
json::object AnchorToJson(const LedgerAnchor& anchor);
Expected<LedgerAnchor> AnchorFromJson(const json::object& fields);

// A file of anchors: {"anchors": [...]}. Error: names the first that does not verify, by its place.
inline constexpr std::size_t kMaxAnchors = 100'000;
Bytes WriteAnchors(const std::vector<LedgerAnchor>& anchors);
Expected<std::vector<LedgerAnchor>> ReadAnchors(BytesView text);

// LENGTH:HEAD, as a person reads it out: a decimal number and 64 hex digits. Error: kInvalid.
Expected<LedgerMark> ParseMark(std::string_view text);
std::string FormatMark(const LedgerMark& mark);

}  // namespace mig
