// The signed order: what is asked, of whom, when, within which limits. The payload of a DSSE
// envelope of type kActionType; bytes are verified before DecodeAction sees them and are never
// written again (wire.md, "Action").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proto/audience.h"
#include "proto/ids.h"
#include "proto/kind.h"
#include "proto/limits.h"
#include "util/clock.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::string_view kActionType = "application/vnd.mig.action.v1+json";
inline constexpr std::size_t kMaxOperations = 32;
inline constexpr std::size_t kMaxNameBytes = 2048;
inline constexpr std::size_t kMaxTargetBytes = 8192;
inline constexpr std::size_t kMaxAttachments = 32;
inline constexpr std::uint64_t kMaxAttachmentBytes = std::uint64_t{64} << 20;

struct Operation {
  std::string module;       // [a-z][a-z0-9-]{0,31}
  json::object parameters;  // checked by the module
};

struct Description {
  std::string author, email, url;
  std::uint64_t revision = 0;
};

struct Threat {
  std::string ref, level, family, type;
};

// A long list or a rule file that parameters name; fetched by its digest, verified before use.
struct Attachment {
  std::string name;         // [A-Za-z0-9][A-Za-z0-9._-]{0,63}, once in an action
  Bytes sha256;             // 32 bytes
  std::uint64_t bytes = 0;  // 1..kMaxAttachmentBytes
  bool operator==(const Attachment&) const = default;
};

struct Action {
  ActionId id;
  OrgId org;
  Kind kind = Kind::kInvestigate;
  std::string name;
  std::string target;  // expression of proto/target.h, checked to parse
  UtcTime validfrom;
  UtcTime expireafter;
  std::vector<Operation> operations;  // 1..32; empty for kStop
  Limits limits;
  std::uint64_t policy = 0;       // lowest policy version the signer accepts
  std::optional<ActionId> stops;  // kStop only, and then always
  // kRespond and kAdmin always have one, kStop never.
  std::optional<Audience> audience;
  std::vector<Attachment> attachments;
  Description description;
  Threat threat;
  std::string reason;
};

// Every rule that needs nothing but the bytes: types, ranges, known fields, validfrom <=
// expireafter, stop without operations. The field that comes later (recipients) is refused. Errors:
// kMalformed (not JSON), kUnsupported (unknown or later field), kInvalid.
Expected<Action> DecodeAction(BytesView payload);

// The payload for a new action, to be signed as it is.
Bytes EncodeAction(const Action& action);

}  // namespace mig
