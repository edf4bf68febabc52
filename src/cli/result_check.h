// Whether an answer is what an agent said: the client's own check of every result part, which
// trusts neither server nor store (DESIGN section 4). Pure: parts in, faults out.
//
// A part counts when its envelope is signed with the agent's key, that key hashes to the agent's
// id, the agent is one of those that were shown before the action was sent, the payload names this
// agent, this action and one of its operations, and the parts form one chain: numbers 0, 1, 2, …,
// each with the digest of the one before, up to the one marked last.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/envelope.h"
#include "proto/ids.h"
#include "proto/result.h"
#include "util/bytes.h"

namespace mig::cli {

// An agent as the server listed it for the target. `key` is believed only as far as its hash is
// the id.
struct ShownAgent {
  AgentId id;
  std::string name;
  std::string status;
  Bytes key;
  bool held = false;  // the server sends it nothing for now (a cloned identity)
};

enum class PartFault {
  kNotShown,      // the agent was not among those shown before sending
  kWrongKey,      // the key does not hash to the agent's id
  kNotEnvelope,   // not even a signed envelope
  kWrongType,     // an envelope, but not of a result
  kBadSignature,  // not signed with the agent's key
  kMalformed,     // signed, but no result part
  kOtherAgent,    // signed by this agent in the name of another
  kOtherAction,   // an answer to another action
  kNoOperation,   // the action has no operation of that number
  kConflict,      // another part with the same number was here before
  kBrokenChain,   // its digest of the part before is not that part's
  kAfterLast,     // follows the part that was marked last
  kTooFarAhead,   // more parts out of order than are kept
  kMissing,       // the chain has a gap, or no end
};
std::string_view PartFaultText(PartFault fault);  // "is not signed with the agent's key"

class ResultCheck {
 public:
  // How many parts of one agent may wait for earlier ones.
  static constexpr std::size_t kMaxAhead = 4096;

  // `shown`: nothing when the set is not known here, for an action that was sent from elsewhere;
  // membership is then not checked (and the caller says so).
  ResultCheck(const ActionId& action, std::size_t operations,
              std::optional<std::vector<ShownAgent>> shown);

  struct Verdict {
    // Set when the part counts. With kBrokenChain, too: the part is signed and about this action,
    // and what is wrong is its neighbour as much as itself.
    std::optional<ResultPart> part;
    Bytes key;  // with `part`: the agent's, under which it verified
    std::optional<PartFault> fault;
    std::string detail;     // of the fault
    bool repeated = false;  // was here before, the same: nothing to print
  };
  // `agent` and `key` as the server says; `key` may be empty when the agent is in the shown set.
  // `envelope`: nothing when what came is none.
  Verdict Check(const AgentId& agent, BytesView key, const std::optional<Envelope>& envelope);

  // True when all parts of that agent are here, in one chain up to the last.
  bool Complete(const AgentId& agent) const;
  // What is missing of the parts of that agent: "parts 3 to 5", "everything after part 7"; empty
  // when Complete.
  std::string Missing(const AgentId& agent) const;

 private:
  struct Link {
    Bytes digest;    // of this part's payload
    Bytes previous;  // what it says of the one before
    bool last = false;
  };
  struct Chain {
    std::uint64_t length = 0;  // parts 0 .. length-1 are here and follow one another
    Bytes head;                // digest of part length-1; empty for none
    bool ended = false;        // part length-1 was the last
    std::map<std::uint64_t, Link> ahead;
    std::optional<std::uint64_t> last;  // number of the part marked last, wherever it is
  };
  std::optional<PartFault> Append(Chain& chain, std::uint64_t seq, Link link, bool* repeated);

  ActionId action_;
  std::size_t operations_;
  std::optional<std::map<AgentId, Bytes>> shown_;  // id -> key
  std::map<AgentId, Chain> chains_;
};

}  // namespace mig::cli
