// Where commands arrive: each is checked, written into memory and ledger, and answered with a
// receipt; what may run is put in line. Decides and writes, but sends nothing and starts nothing:
// what is to be done comes back in the answer.
#pragma once

#include <optional>
#include <string>

#include "proto/result.h"
#include "roles/agent/identity.h"
#include "roles/agent/policy_keeper.h"
#include "roles/agent/refusal_log.h"
#include "roles/agent/run_queue.h"
#include "roles/agent/self_facts.h"
#include "store/agent_db.h"

namespace mig::agent {

// What this machine can enforce (os/sandbox.h).
struct SandboxFacts {
  std::string level;  // full, partial, none
  bool can_limit_folders = false;
};

// An action that may run, as the check left it.
struct Runnable {
  Action action;
  std::vector<std::vector<std::string>> roots;  // for each operation; empty: any
  std::vector<Constraints> constraints;         // for each, to be asked again of attachments
};

class CommandDesk {
 public:
  struct Parts {  // all must outlive the desk
    store::AgentDb& db;
    PolicyKeeper& policy;
    RunQueue& queue;
    const Self& self;
    const SandboxFacts& sandbox;
  };
  explicit CommandDesk(const Parts& parts) : parts_(parts) {}

  struct Answer {
    std::optional<Receipt> receipt;  // to be sent
    bool queued = false;             // something new waits in line
    bool repeated = false;           // parts wait to be sent again
    std::optional<ActionId> stop;    // people want this action stopped, now
  };
  // One message of a command topic. `clock` is the machine's clock.
  Answer Take(BytesView message, UtcTime clock);

  // Whether a remembered action may be begun now: the whole check again, because time has passed
  // since it was accepted, and keys may have been revoked. Error: why not (the refusal's text).
  Expected<Runnable> Recheck(const store::RememberedAction& action, UtcTime clock) const;

  // A receipt as of now, without code and detail.
  Receipt MakeReceipt(const ActionId& action, std::string state, UtcTime clock) const;

 private:
  // `proof` of the agent's place in the audience, as it came; null: none did.
  Decision Check(const Envelope& envelope, const AudienceProof* proof, UtcTime clock) const;
  Answer Refuse(const Envelope& envelope, const Decision& decision, UtcTime clock);
  Answer TakeNew(const Accepted& accepted, BytesView envelope, UtcTime clock);
  Answer TakeRepeated(const ActionId& action, UtcTime clock);
  void NoteUnreadable(BytesView message, const Error& why, UtcTime clock);

  Parts parts_;
  RefusalLog refusals_;
};

}  // namespace mig::agent
