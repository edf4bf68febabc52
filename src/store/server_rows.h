// What the server's store keeps, as plain values: the rows that ServerReader returns and ServerTx
// takes (store/server_db.h). Ids are typed, times are UTC, envelopes are the JSON bytes as they
// were signed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/ids.h"
#include "proto/kind.h"
#include "proto/result.h"
#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::store {

// online: connected, and heartbeats come; idle: connected, but silent; offline: not connected.
enum class AgentStatus { kOnline, kIdle, kOffline };
std::string_view AgentStatusName(AgentStatus status);
Expected<AgentStatus> ParseAgentStatus(std::string_view name);

struct AgentRow {
  AgentId id;
  Bytes key;  // 32 bytes, Ed25519
  std::string name;
  AgentStatus status = AgentStatus::kOffline;
  std::string version;
  std::string environment;  // JSON object, as in heartbeats
  std::string tags;         // JSON object
  UtcTime enrolled;
  UtcTime heartbeattime;  // server's clock; the epoch: none yet
  UtcTime started;        // agent's clock
  std::string boot;
  std::string relay;  // where the last `on` came from
  std::uint64_t policy = 0;
  std::string sandbox;
  std::uint64_t ledger_length = 0;
  Bytes ledger_head;
  // When two processes were first seen to use this identity by turns (a cloned image). ListCopies
  // tells them apart. No commands are sent to it until a person releases it (ReleaseAgent).
  std::optional<UtcTime> cloned;
  // When its ledger was first seen to be shorter, or another, than it had been, and how long it was
  // then: altered, or an older state of the disk was put back.
  std::optional<UtcTime> ledger_back;
  std::uint64_t ledger_before = 0;
};

// One process that used an agent's identity. Several that live at once are copies of one machine.
struct AgentCopyRow {
  std::string boot;
  std::string name;
  std::string environment;
  UtcTime first;  // server's clock
  UtcTime last;
};

// An agent on a running system where others are as well.
struct TwinRow {
  AgentId id;
  std::string name;
  std::uint64_t pid = 0;
  UtcTime started;  // its own clock
};

struct AgentCount {
  std::uint64_t total = 0, online = 0, idle = 0, offline = 0;
};

// How many agents said last that they hold that policy; version 0: none, or never heard of.
// Messages that the scheduler did not take, for one reason.
struct NotTakenRow {
  std::string flaw, agent;  // `agent`: whose topic the last one came on; empty: of no agent
  std::uint64_t count = 0;
  UtcTime first, last;
};

struct HeldPolicyRow {
  std::uint64_t version = 0, agents = 0;
};

// A policy that was published, under the root of that version.
struct PublishedPolicyRow {
  std::uint64_t version = 0;
  std::uint64_t root_version = 0;
  UtcTime stored;
  Bytes envelope;
};

struct SignatureRow {
  std::string person;  // id in the policy
  KeyId key;
};

struct ActionRow {
  std::int64_t row = 0;  // counts up with time: the cursor of ListActions
  ActionId id;
  ActionStatus status = ActionStatus::kPending;
  Kind kind = Kind::kInvestigate;
  std::string name;
  std::string target;
  UtcTime validfrom, expireafter;
  std::uint64_t limit_bytes = 0;  // limits.bytes of the action
  std::optional<ActionId> stops;
  std::optional<ActionId> stopped_by;  // a stop for this action has been accepted
  UtcTime received;                    // when the API stored it
  std::optional<UtcTime> started, finished;
  std::string detail;  // why it is refused, invalid …
};

// Who ended an action that waited for signatures, and why.
struct RejectionRow {
  std::string person;  // id in the policy
  std::string reason;
  UtcTime time;
};

// What the server would like done, until a person signs it or says no.
enum class ProposalStatus { kOpen, kApproved, kRejected };
std::string_view ProposalStatusName(ProposalStatus status);
Expected<ProposalStatus> ParseProposalStatus(std::string_view name);

struct ProposalRow {
  std::int64_t row = 0;  // the cursor of ListProposals
  ActionId id;           // of the action that it may become
  std::string proposer;  // role of the server
  Kind kind = Kind::kAdmin;
  std::string name, target;
  std::string operations;  // JSON array, as in an action
  std::string reason;
  UtcTime created, expires;
  ProposalStatus status = ProposalStatus::kOpen;
  std::string person;  // who approved or rejected it
  std::string detail;  // why, when rejected
};

struct Counters {
  std::uint64_t targeted = 0, prepared = 0, sent = 0, received = 0, running = 0, success = 0,
                failed = 0, timeout = 0, refused = 0, expired = 0, stopped = 0, interrupted = 0;
  std::uint64_t late = 0;   // expired or stopped commands with parts that came afterwards
  std::uint64_t found = 0;  // commands whose answer found something

  std::uint64_t open() const { return prepared + sent + received + running; }
  bool operator==(const Counters&) const = default;
};

struct CommandRow {
  ActionId action;
  AgentId agent;
  std::string agent_name;
  CommandStatus status = CommandStatus::kPrepared;
  std::string code;    // reason when refused
  std::string detail;  // for people; from the agent, so escape it
  std::optional<bool> found;
  bool late = false;
  std::uint32_t attempts = 0;
  UtcTime prepared;
  std::optional<UtcTime> sent, answered, finished;
  // Counts up over all commands as they become final (and again when one turns out to be late): the
  // cursor of ListFinishedCommands. 0: open.
  std::int64_t finish = 0;
};

// A command that is to be sent now or again, with what that decision needs.
struct DueRow {
  CommandRow command;
  Kind kind = Kind::kInvestigate;
  bool stopped = false;    // a stop for its action has been accepted
  bool connected = false;  // the agent is, as far as its presence tells
  bool held = false;       // its identity is used by two machines: which one would obey?
  std::string relay;       // where its last `on` came from
  UtcTime expireafter;     // of the action
};

struct PartRow {
  std::int64_t row = 0;  // counts up over all parts: the cursor of ListParts
  ActionId action;
  AgentId agent;
  std::string agent_name;
  std::uint64_t seq = 0;
  bool last = false;
  bool late = false;
  UtcTime stored;
  Bytes envelope;
};

struct SessionRow {
  KeyId id;   // fingerprint of `key`
  Bytes key;  // the session's Ed25519 public key
  std::string person;
  UtcTime validfrom, expireafter;
};

struct PersonRow {
  std::string id, name;
  bool active = true;
  std::vector<KeyId> keys;
};

struct TokenRow {
  Bytes hash;  // SHA-256 of the secret
  std::uint32_t uses = 0, uses_left = 0;
  UtcTime created, expires;
  std::string note;
  std::string person;             // who made it; empty: somebody on the server
  std::optional<Bytes> envelope;  // the grant (proto/grant.h), JSON; nothing: it gives no tags
  bool ready = true;              // false: more people must sign the grant first
  std::optional<UtcTime> revoked;
};

// What an agent's tags come from.
struct GrantedRow {
  AgentId agent;
  std::string tags;               // as they are stored, JSON
  Bytes token;                    // hash of the token it enrolled with
  std::optional<Bytes> envelope;  // that token's grant
};

struct AuditRow {
  std::int64_t row = 0;
  UtcTime time;
  std::string actor;   // person id, "agent:<id>", or the server's role name
  std::string event;   // action.accepted, agent.enrolled, token.created, …
  std::string object;  // what it was done to: an id
  std::string facts;   // JSON object
};

}  // namespace mig::store
