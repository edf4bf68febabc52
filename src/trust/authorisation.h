// The agent's check of DESIGN section 4, in its order: may this envelope be obeyed, here and now?
// Pure: bytes, policy, facts, memory and time in; a decision out. The API uses the first half of it
// (signatures and weights) to refuse early; only the agent's own decision counts.
//
// On the order. `org` and `policy` come before the signatures in the order of the check, but stand
// in the payload, which nobody should believe before its signatures are checked. So the signatures
// are verified first, over the bytes. Only then does the strict decoder see the payload, and what
// it finds in a payload that is not signed as it must be serves for one thing: to choose the
// earliest reason to refuse (an action of another deployment is `wrong_org`, not `unknown_signer`),
// and to name the action in the receipt. It cannot turn a refusal into anything else.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "proto/action.h"
#include "proto/target.h"
#include "trust/constraints.h"
#include "trust/freshness.h"
#include "trust/policy_chain.h"
#include "trust/refusal.h"

namespace mig {

// Policies say nothing about stops, which may always be given; this bounds how long an agent may
// have to remember one.
inline constexpr std::chrono::hours kMaxStopValidity{24 * 90};

// What is known about an id that was seen before (store/agent_db.h implements it).
class ReplayMemory {
 public:
  virtual ~ReplayMemory() = default;
  struct Seen {
    Bytes digest;  // SHA-256 of the payload
  };
  // Error: the memory cannot be read, which refuses every action (kLedger).
  virtual Expected<std::optional<Seen>> Find(const ActionId& id) const = 0;
  virtual Expected<bool> IsStopped(const ActionId& id) const = 0;
};

// What the check needs to know of a module, so that trust/ need not include modules/.
struct ModuleFacts {
  Kind kind = Kind::kInvestigate;
  bool needs_sandbox = true;
  // Absolute paths the operation would read. Empty function: the module takes none.
  PathsFunction paths;
  std::function<Expected<void>(const json::object& parameters)> check_parameters;
};
using ModuleLookup = std::function<std::optional<ModuleFacts>(std::string_view name)>;

struct CheckContext {
  const TrustedPolicy* policy = nullptr;  // null: none held yet
  const Freshness* freshness = nullptr;   // what VerifyFreshness believed; null: none
  OrgId org;
  UtcTime now;                           // the agent's time, floor included (trust/time_floor.h)
  const ReplayMemory* memory = nullptr;  // never null
  ModuleLookup modules;
  AgentId agent;                         // this one, to be found in the audience
  const AudienceProof* proof = nullptr;  // what came with the action; null: none
  Target::Facts facts;                   // the agent about itself
  bool sandbox_full = false;
  bool path_rules_enforceable = false;  // Landlock or openat2 is there
};

struct Accepted {
  Action action;
  Bytes digest;                     // SHA-256 of the payload
  std::vector<std::string> people;  // ids of the distinct people who signed
  bool repeated = false;            // same id and digest as before: repeat the answer
  // For each operation the roots its child may read below; empty: any.
  std::vector<std::vector<std::string>> roots;
  // For each operation what its parameters are held to, again once attachments are expanded.
  std::vector<Constraints> constraints;
};

struct Decision {
  std::optional<Accepted> accepted;
  std::optional<Refused> refused;  // exactly one of both
  std::optional<Action> action;    // as far as it could be read, for receipts and the ledger
  // Whether people the policy knows signed `action`. If not, nothing in it may be believed, nor
  // be stored without a bound.
  bool authentic = false;
};

Decision CheckAction(const Envelope& envelope, const CheckContext& context);

// Steps up to weight, without replay, target or limits: what the API checks at the door.
// `weight_reached` tells `scheduled` from `pending`.
struct SignatureCheck {
  std::optional<Refused> refused;
  std::vector<std::string> people;
  bool weight_reached = false;
};
SignatureCheck CheckSignatures(const Envelope& envelope, const Action& action,
                               const TrustedPolicy& policy);

}  // namespace mig
