// Writing to the server's database (store/server_db.h): what one unit of work may do. It also sees
// everything that ServerReader reads, with its own changes. Rules that must hold whoever writes
// stand here: final states never change, ids are never reused, uses are counted atomically.
#pragma once

#include <chrono>
#include <span>
#include <string_view>
#include <vector>

#include "store/server_reader.h"

namespace mig::store {

struct NewAgent {
  AgentId id;
  Bytes key;
  std::string name;
  Bytes token;  // hash of the token it enrols with
};

struct NewAction {
  ActionId id;
  Bytes digest;                 // SHA-256 of the payload
  Bytes envelope;               // JSON as received
  bool weight_reached = false;  // scheduled, else pending
  Kind kind = Kind::kInvestigate;
  std::string name, target;
  UtcTime validfrom, expireafter;
  std::uint64_t limit_bytes = 0;
  std::optional<ActionId> stops;
  std::vector<SignatureRow> signatures;
  Bytes audience;  // 32 bytes for each agent, ascending; empty: the action has none
};

// What the server would like done (proposals in server.sql).
struct NewProposal {
  std::string subject;   // what it is about, so that it is not proposed twice: "twin:<agent>:<pid>"
  std::string proposer;  // "scheduler"
  Kind kind = Kind::kAdmin;
  std::string name, target;
  std::string operations;  // JSON array of {module, parameters}
  std::string reason;      // for the person who decides
  UtcTime expires;
};

enum class Proposed {
  kNew,
  kKnown,  // open already, or a person said no and it has not expired yet
  kFull,   // kMostProposals are open: nothing was stored
};

struct IncomingPart {
  ActionId action;
  AgentId agent;
  std::uint64_t seq = 0;
  bool last = false;
  std::optional<CommandStatus> status;  // with `last`: what the command comes to
  bool found = false;                   // the part's summary found something
  Bytes digest;                         // SHA-256 of the payload
  Bytes envelope;                       // JSON as received
};

enum class PartOutcome {
  kStored,     // new: acknowledge
  kRepeated,   // had it already: acknowledge again
  kNoCommand,  // the agent was never asked
  kConflict,   // another part with this number is there, or it follows the last one
  kTooMuch,    // beyond what the action's limits allow one agent
};

struct AddedPart {
  PartOutcome outcome = PartOutcome::kNoCommand;
  bool late = false;      // the command was expired or stopped before
  bool finished = false;  // this part made the command final
};

// What a heartbeat or presence changed.
struct Seen {
  bool fresh = false;  // else older than what was known (a replay, or the will of a connection
                       // before), and nothing was changed
  bool came_on = false;
  bool went_off = false;
  bool new_clone = false;  // first time that two processes were seen to use this identity by turns
  bool held = false;       // two were seen to use it, then or before, and nobody has released it
  bool ledger_back = false;  // as RecordLedger
};

class ServerTx : public ServerReader {
 public:
  static Expected<std::unique_ptr<ServerTx>> Open(const std::filesystem::path& file);

  // ---- agents
  // Idempotent for the same key. Error: kExists when the id is there with another key (a bug or a
  // broken hash: the id is the key's hash).
  Expected<void> EnrolAgent(const NewAgent& agent, UtcTime now);
  // Error of both: kNotFound; agents are made by enrolment alone.
  Expected<Seen> RecordHeartbeat(const Heartbeat& heartbeat, UtcTime now);
  Expected<Seen> RecordPresence(const Presence& presence, std::string_view relay, UtcTime now);
  // What an agent signed of its ledger (heartbeats say it by themselves). True: the first word that
  // shows that its ledger was altered or set back. Words may come in any order.
  Expected<bool> RecordLedger(const AgentId& agent, const LedgerMark& mark, UtcTime signed_at,
                              UtcTime now);
  // A person has put right what two machines with one identity, or a ledger that went back, stood
  // for: what is known of processes and ledger begins anew with the process that spoke last, and
  // its open commands are due. Errors: kNotFound; kInvalid when there is nothing to release, or
  // when another process than the last has spoken since `silent_since`.
  Expected<void> ReleaseAgent(const AgentId& agent, UtcTime silent_since, UtcTime now);
  // Sets status by presence and heartbeat age. Returns the ids that changed, at most `limit`; call
  // again until fewer come.
  Expected<std::vector<AgentId>> RefreshAgentStatus(UtcTime idle_before, UtcTime offline_before,
                                                    std::size_t limit);
  // One row of agents_stats from what the tables say now.
  Expected<void> RecordStatistics(UtcTime now);
  // Adds row.count; the other fields become those of the row, `first` stays.
  Expected<void> AddNotTaken(const NotTakenRow& row);

  // ---- enrolment tokens
  // Error: kExists.
  Expected<void> AddToken(const TokenRow& token);
  // More people signed its grant. False: it is ready already, or revoked.
  Expected<bool> SignToken(BytesView hash, BytesView envelope, bool ready);
  // Another policy may ask for more people, or for fewer.
  Expected<void> SetTokenReady(BytesView hash, bool ready);
  // Nobody enrols with it any more; who did stays. False: it was revoked before. Error: kNotFound.
  Expected<bool> RevokeToken(BytesView hash, UtcTime now);
  // Takes one use. Error: kDenied: unknown, not signed by enough people, used up, revoked, or
  // expired.
  Expected<void> UseToken(BytesView hash, UtcTime now);
  // From now on this agent's grant is that of the token. Error: kNotFound.
  Expected<void> SetAgentToken(const AgentId& agent, BytesView token);
  // Tags that were verified, as JSON. True when that changed them.
  Expected<bool> SetTags(const AgentId& agent, std::string_view tags);

  // ---- actions
  // Stores action, signatures, audience and the audit row together; one whose stop came first is
  // `stopped` from the start. True: new. False: the same payload is there already (nothing
  // changes). An action with the id of an open proposal is what became of that. Error: kExists: the
  // id is there with another payload, or belongs to a proposal that was rejected.
  Expected<bool> AddAction(const NewAction& action, std::string_view actor, UtcTime now);
  // More people signed the same payload while it was `pending`: replaces the envelope by the one
  // with all signatures. False: not pending any more, nothing changed. Error: kNotFound.
  Expected<bool> AddSignatures(const ActionId& id, BytesView envelope,
                               std::span<const SignatureRow> signatures, bool weight_reached,
                               std::string_view actor, UtcTime now);
  // A person says no to an action that waits for signatures: `refused`, for good. False: it is not
  // pending any more. Error: kNotFound.
  Expected<bool> RejectAction(const ActionId& id, std::string_view person, std::string_view reason,
                              UtcTime now);
  // Moves along the lines of DESIGN section 3; true when that changed the row, false when it is in
  // that status, or cannot come to it from where it is (a final status never changes).
  Expected<bool> SetActionStatus(const ActionId& id, ActionStatus to, std::string_view detail,
                                 UtcTime now);
  // Takes the action for this scheduler until `until`: false when another one holds it.
  Expected<bool> LeaseAction(const ActionId& id, std::string_view owner, UtcTime until,
                             UtcTime now);
  // One page of expanding an action in `preparing`: a command `prepared`, due at once, for each
  // agent that matches; those there already stay as they are. An ordinary action looks at all
  // agents (of its audience, when it has one), a stop at those with an open command of the action
  // it stops, and their commands that were never sent become `stopped`. Pages can be repeated from
  // the start (a crash in between).
  struct Page {
    std::int64_t next = 0;  // cursor of the next page
    bool done = false;      // that was the last one
  };
  Expected<Page> PrepareCommands(const ActionId& action, const Target::Sql& where,
                                 std::int64_t cursor, std::size_t limit, UtcTime now);
  // Notes that `stop` stops `stops`, where that is known and open; one that has no commands yet
  // becomes `stopped` at once.
  Expected<void> MarkStopped(const ActionId& stops, const ActionId& stop, UtcTime now);
  // completed (or stopped) when no command is open. True when that happened now.
  Expected<bool> CompleteAction(const ActionId& id, UtcTime now);

  // ---- proposals
  // More open ones than a person would ever read.
  static constexpr std::size_t kMostProposals = 1000;
  // Keeps what the server would like done until a person decides or it expires.
  Expected<Proposed> Propose(const NewProposal& proposal, UtcTime now);
  // A person says no. False: it is not open any more. Error: kNotFound.
  Expected<bool> RejectProposal(const ActionId& id, std::string_view person,
                                std::string_view reason, UtcTime now);

  // ---- commands
  // The command is about to be sent: counts the attempt, moves `prepared` to `sent`, and makes it
  // due again at `again`, or not until somebody says so.
  Expected<void> MarkSent(const ActionId& action, const AgentId& agent,
                          std::optional<UtcTime> again, UtcTime now);
  // Sending it failed (or the relay did not say that it has it): the attempt does not count.
  Expected<void> MarkUnsent(const ActionId& action, const AgentId& agent, UtcTime due);
  // Nothing: not due until somebody says so.
  Expected<void> SetDue(const ActionId& action, const AgentId& agent, std::optional<UtcTime> when);
  // Says with an open command why it is not sent: code `held`, until it is sent after all.
  Expected<void> NoteHeld(const ActionId& action, const AgentId& agent, std::string_view detail);
  // Open commands become due at `when`: those of one agent (it came back), or all (the scheduler
  // started). Returns how many.
  Expected<std::uint64_t> MakeDue(const AgentId& agent, UtcTime when);
  Expected<std::uint64_t> MakeAllDue(UtcTime when);
  // The agent's answer to a command. True when it changed the command, false when that is further
  // on. `busy` takes it back to `prepared`, due at `busy_until`; a stop is done with its receipt.
  // Error: kNotFound: the agent was never asked.
  Expected<bool> RecordReceipt(const Receipt& receipt, UtcTime busy_until, UtcTime now);
  Expected<AddedPart> AddPart(const IncomingPart& part, UtcTime now);
  // What has to end because its action's expireafter is before `before`: open commands become
  // expired, and so do actions without commands. At most `limit` commands a call: call again until
  // `done`.
  struct Expired {
    std::vector<ActionId> actions;  // those that changed
    bool done = true;
  };
  Expected<Expired> ExpireOverdue(UtcTime before, std::size_t limit, UtcTime now);

  // ---- people
  Expected<void> AddSession(const SessionRow& session);
  // False: this key used this nonce before. Remembered until `until`.
  Expected<bool> RememberNonce(const KeyId& key, std::string_view nonce, UtcTime until);
  // Sessions, nonces, tokens and proposals that lapsed before `now`.
  Expected<void> ForgetLapsed(UtcTime now);
  // Makes the table of people that of the policy (names for display; the policy decides).
  Expected<void> ReplacePeople(std::span<const PersonRow> people, UtcTime now);
  Expected<void> Audit(std::string_view actor, std::string_view event, std::string_view object,
                       std::string_view facts, UtcTime now);

  // ---- published documents
  // `roots`: envelopes, version 1 first; those there already stay. False: it was there already.
  Expected<bool> AddPublishedPolicy(const PublishedPolicyRow& policy, std::span<const Bytes> roots);
  // False: a statement that is as new or newer was there already.
  Expected<bool> KeepFreshness(std::uint64_t policy_version, UtcTime time, BytesView envelope,
                               UtcTime now);

 private:
  friend class ServerDb;
  using ServerReader::ServerReader;
  // The proposal with this id, if there is one, has become an action. Error: kExists: rejected.
  Expected<void> ApproveProposal(const ActionId& id, std::string_view person, UtcTime now);
};

}  // namespace mig::store
