// What an agent says: receipts, result parts, heartbeats, presence. Each is the payload of an
// envelope signed with the agent's key. Receivers ignore unknown fields (wire.md, "Results").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::string_view kReceiptType = "application/vnd.mig.receipt.v1+json";
inline constexpr std::string_view kResultType = "application/vnd.mig.result.v1+json";
inline constexpr std::string_view kHeartbeatType = "application/vnd.mig.heartbeat.v1+json";
inline constexpr std::string_view kPresenceType = "application/vnd.mig.presence.v1+json";

// The payload of one part stays below this, so that its envelope stays below 256 KiB.
inline constexpr std::size_t kMaxPartPayloadBytes = 180 * 1024;

// Status of a command (DESIGN section 3). Stored as text; order is the order of life.
enum class CommandStatus {
  kPrepared,
  kSent,
  kReceived,
  kRunning,
  kSuccess,
  kFailed,
  kTimeout,
  kRefused,
  kExpired,
  kStopped,
  kInterrupted,  // final
};
std::string_view CommandStatusName(CommandStatus status);
Expected<CommandStatus> ParseCommandStatus(std::string_view name);
bool IsFinal(CommandStatus status);

enum class ActionStatus {
  kPending,
  kScheduled,
  kPreparing,
  kInflight,
  kCompleted,
  kExpired,
  kStopped,
  kRefused,
  kInvalid,  // final
};
std::string_view ActionStatusName(ActionStatus status);
Expected<ActionStatus> ParseActionStatus(std::string_view name);
bool IsFinal(ActionStatus status);

// Length and head of the agent's ledger when it signed: how a cut tail shows.
struct LedgerMark {
  std::uint64_t length = 0;
  Bytes head;  // 32 bytes
};

// The answer to a command, at once and at every repetition.
struct Receipt {
  AgentId agent;
  ActionId action;
  std::string state;         // received | started | refused | busy
  std::string code;          // reason code when refused (trust/refusal.h)
  std::string detail;        // for people
  UtcTime time;              // the agent's clock
  std::uint64_t policy = 0;  // version the agent holds
  LedgerMark ledger;
};

// One element of a module's answer: `label` groups (the search's name), value as the module says.
struct ResultElement {
  std::string label;
  json::value value;
};

struct OperationSummary {
  CommandStatus status = CommandStatus::kSuccess;
  json::object result;  // MIG's result object; its lists of elements may have been sent before
  std::string sandbox;  // full | partial | none
};

struct ResultPart {
  AgentId agent;
  ActionId action;
  std::uint64_t seq = 0;  // 0, 1, 2, … over the whole action
  bool last = false;
  Bytes previous;  // SHA-256 of the previous part's payload; empty for seq 0
  std::uint32_t operation = 0;
  std::vector<ResultElement> elements;
  std::optional<OperationSummary> summary;  // ends the operation
  std::optional<CommandStatus> status;      // with `last`: final status of the command
  UtcTime time;
  LedgerMark ledger;
};

struct Environment {
  std::string hostname, os, arch, ident, init, kernel;
  std::vector<std::string> addresses;  // CIDR, loopback left out
  bool operator==(const Environment&) const = default;
};

struct Heartbeat {
  AgentId agent;
  std::string name;     // FQDN
  std::string version;  // of the executable
  UtcTime time;
  UtcTime started;
  Environment environment;
  std::map<std::string, std::string> tags;
  std::map<std::string, std::uint32_t> modules;  // name -> version
  std::map<std::string, std::uint32_t> formats;  // "action" -> 1, …
  std::uint64_t policy = 0;
  std::string sandbox;
  std::string boot;  // random at each start of the process: tells two copies of one key apart
  std::string host;  // the running system, hashed: tells two agents on one machine; may be empty
  std::uint64_t pid = 0;  // with `host`
  LedgerMark ledger;
};

struct Presence {
  AgentId agent;
  bool on = false;
  UtcTime time;
  std::string boot;
};

Bytes EncodeReceipt(const Receipt& receipt);
Expected<Receipt> DecodeReceipt(BytesView payload);
Bytes EncodeResultPart(const ResultPart& part);
Expected<ResultPart> DecodeResultPart(BytesView payload);
Bytes EncodeHeartbeat(const Heartbeat& heartbeat);
Expected<Heartbeat> DecodeHeartbeat(BytesView payload);
Bytes EncodePresence(const Presence& presence);
Expected<Presence> DecodePresence(BytesView payload);

// {"os":…, "arch":…, …}; shared by heartbeats, the store and the target's evaluation.
json::object EncodeEnvironment(const Environment& environment);
Environment DecodeEnvironment(const json::object& fields);

}  // namespace mig
