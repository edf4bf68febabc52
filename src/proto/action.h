// The signed order: what is asked, of whom, when, within which limits. The payload of a DSSE
// envelope of type kActionType; bytes are verified before DecodeAction sees them and are never
// written again (wire.md, "Action").
#pragma once

#include <optional>
#include <string>
#include <vector>

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
  Description description;
  Threat threat;
  std::string reason;
};

// Every rule that needs nothing but the bytes: types, ranges, known fields, validfrom <=
// expireafter, stop without operations. Fields that come later (audience, recipients, attachments)
// are refused. Errors: kMalformed (not JSON), kUnsupported (unknown or later field), kInvalid.
Expected<Action> DecodeAction(BytesView payload);

// The payload for a new action, to be signed as it is.
Bytes EncodeAction(const Action& action);

}  // namespace mig
