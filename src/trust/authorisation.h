// The agent's check of DESIGN section 4, in its order: may this envelope be obeyed, here and now?
// Pure: bytes, policy, facts, memory and time in; a decision out. The API uses the first half of it
// (signatures and weights) to refuse early; only the agent's own decision counts.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "proto/action.h"
#include "proto/target.h"
#include "trust/policy_chain.h"
#include "trust/refusal.h"

namespace mig {

struct Refused {
  Refusal code;
  std::string detail;  // for people: names the signer, module, parameter or time
};

// What is known about an id that was seen before (store/agent_db.h implements it).
class ReplayMemory {
 public:
  virtual ~ReplayMemory() = default;
  struct Seen {
    Bytes digest;  // SHA-256 of the payload
  };
  virtual std::optional<Seen> Find(const ActionId& id) const = 0;
  virtual bool IsStopped(const ActionId& id) const = 0;
};

// What the check needs to know of a module, so that trust/ need not include modules/.
struct ModuleFacts {
  Kind kind;
  bool needs_sandbox;
  // Absolute paths the operation would read; nothing when the module takes none.
  std::function<Expected<std::vector<std::string>>(const json::object& parameters)> paths;
  std::function<Expected<void>(const json::object& parameters)> check_parameters;
};
using ModuleLookup = std::function<std::optional<ModuleFacts>(std::string_view name)>;

struct CheckContext {
  const TrustedPolicy* policy = nullptr;  // null: none held yet
  OrgId org;
  UtcTime now;  // the agent's time, floor included (trust/time_floor.h)
  const ReplayMemory* memory = nullptr;
  ModuleLookup modules;
  Target::Facts facts;  // the agent about itself
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
};

struct Decision {
  std::optional<Accepted> accepted;
  std::optional<Refused> refused;  // exactly one of both
  std::optional<Action> action;    // as far as it could be read, for receipts and the ledger
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
