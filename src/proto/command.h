// What the scheduler sends to an agent. Nothing here is an order by itself: a command carries the
// signed action, and control messages acknowledge, or bring documents that verify themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proto/audience.h"
#include "proto/ids.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

// Bounds of whole messages: an envelope of 256 KiB with what surrounds it, and a root chain with a
// policy.
inline constexpr std::size_t kMaxCommandBytes = 260 * 1024;
inline constexpr std::size_t kMaxControlBytes = 1024 * 1024;

// Topic mig/v1/dn/<agent>/cmd (and dn/all/cmd). `action` is the envelope's JSON as it was signed.
struct Command {
  json::object action;
  std::optional<AudienceProof> proof;  // with kinds that change something
};

// Topic mig/v1/dn/<agent>/ctl: the scheduler has stored these parts for good.
struct Acknowledgement {
  ActionId action;
  std::vector<std::uint64_t> parts;  // seq numbers, at most 256
};

// Topic mig/v1/dn/<agent>/ctl and, retained, mig/v1/dn/all/policy.
struct PolicyUpdate {
  std::vector<json::object> roots;        // envelopes, version 1 first
  json::object policy;                    // envelope
  std::optional<json::object> freshness;  // envelope
};

// Topic mig/v1/dn/<agent>/ctl: two machines use this identity, so that its commands are held back.
// For the log and the ledger: nobody signed it, and an agent does nothing else about it.
struct IdentityHeld {};

using Control = std::variant<Acknowledgement, PolicyUpdate, IdentityHeld>;

// Unknown fields are ignored here: an older agent must understand a newer courier. Errors:
// kMalformed, kInvalid; kUnsupported for a control message of an unknown type, to be passed over.
Expected<Command> DecodeCommand(BytesView message);
Bytes EncodeCommand(const Command& command);
Expected<Control> DecodeControl(BytesView message);
Bytes EncodeControl(const Control& control);

}  // namespace mig
