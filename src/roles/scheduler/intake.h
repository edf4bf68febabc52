// Reading what agents say: a message from a relay becomes a heartbeat, a presence, a receipt or a
// result part, but only when the agent whose topic it is signed it, and speaks of itself. The relay
// is not believed: not about topics, not about who sent what. Pure; the key comes from the caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "crypto/ed25519.h"
#include "crypto/envelope.h"
#include "proto/result.h"
#include "proto/topics.h"
#include "util/bytes.h"

namespace mig::scheduler {

// Why a message is not taken, one for each check. Counted and logged by this name (tally.h).
enum class Flaw {
  kTopic,         // no topic of ours, or the shard is not the agent's
  kEnvelope,      // no well-formed envelope
  kUnknownAgent,  // the topic's agent is not enrolled
  kSignature,     // not signed by that agent's key
  kType,          // a payload type that does not belong on this topic
  kPayload,       // signed, but not well-formed, or larger than any honest one
  kOtherAgent,    // signed by one agent, about another
  kNotAsked,      // an answer to an action that the agent was never asked
  kConflict,      // a part that contradicts those before
  kTooMuch,       // more than the action's limits allow
  kOverload,      // the store is behind: dropped, the agent sends it again
  kStore,         // the store failed: dropped likewise
};
inline constexpr std::size_t kFlaws = 12;
std::string_view FlawName(Flaw flaw);

struct Rejected {
  Flaw flaw = Flaw::kTopic;
  std::optional<AgentId> agent;  // the topic's; nothing is known about the sender
  std::string detail;
};

// First step: what can be told without a key.
struct Sealed {
  topics::Up up;
  Envelope envelope;
  Bytes text;  // the envelope as it came
};
std::variant<Sealed, Rejected> OpenMessage(std::string_view topic, BytesView payload);

struct Part {
  ResultPart part;
  Bytes digest;    // SHA-256 of the signed payload
  Bytes envelope;  // as it came
};
using Arrival = std::variant<Heartbeat, Presence, Receipt, Part>;

// Second step: verifies before it parses. `key` is the enrolled key of sealed.up.agent.
std::variant<Arrival, Rejected> VerifyMessage(Sealed sealed, const PublicKey& key);

// The status that a last part gives its command. An agent says how a run ended; `expired` and
// `refused` are not its to say here.
CommandStatus FinalStatus(const ResultPart& part);

// Whether the part's summary says that something was found.
bool FoundAnything(const ResultPart& part);

}  // namespace mig::scheduler
