// What the API tells about an action while it goes on (GET /v1/actions/ID/events), read from its
// server-sent events. Formats only; nothing of it is believed until ResultCheck has seen it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "crypto/envelope.h"
#include "proto/ids.h"
#include "proto/result.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::cli {

struct ProgressEvent {
  ActionStatus status = ActionStatus::kPending;
  std::string detail;  // why it is refused, invalid, …
  std::uint64_t targeted = 0, running = 0;
};

struct PartEvent {
  AgentId agent;
  std::string name;
  Bytes key;                         // as the server says
  std::optional<Envelope> envelope;  // nothing when it is none: one agent's nonsense stays its own
};

struct CommandEvent {
  AgentId agent;
  std::string name;
  CommandStatus status = CommandStatus::kPrepared;
  std::string code, detail;
};

// The action is final and everything about it has been sent.
struct EndEvent {
  ProgressEvent last;
};

using ActionEvent = std::variant<ProgressEvent, PartEvent, CommandEvent, EndEvent>;

// Nothing for an event of a kind that this version does not know. Error: kMalformed.
Expected<std::optional<ActionEvent>> ReadActionEvent(std::string_view kind, std::string_view data);

// The same objects where they stand in lists.
Expected<ProgressEvent> ReadProgress(const json::object& fields);
Expected<PartEvent> ReadPart(const json::object& fields);
Expected<CommandEvent> ReadCommand(const json::object& fields);

// A name as the API writes it: text, or {"b64": …}; as bytes.
std::string ReadName(const json::object& fields, std::string_view key);

}  // namespace mig::cli
