// What an action is for. A module has exactly one kind, compiled in; an action names one kind, and
// every module in it must be of that kind.
#pragma once

#include <string_view>

#include "util/expected.h"

namespace mig {

enum class Kind {
  kInvestigate,  // looks, changes nothing
  kRespond,      // changes the system
  kAdmin,        // changes the agent
  kStop,         // stops an action; has no operations
};

std::string_view KindName(Kind kind);             // "investigate", …
Expected<Kind> ParseKind(std::string_view name);  // error: kUnsupported

// Respond and admin: what needs a fresh policy and an audience.
constexpr bool ChangesSomething(Kind kind) {
  return kind == Kind::kRespond || kind == Kind::kAdmin;
}

}  // namespace mig
