// Actions as the verbs make them, ready to be signed. Pure, apart from drawing an id.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "proto/action.h"
#include "proto/policy.h"

namespace mig::cli {

// An action is valid from a little before it is made, because clocks differ.
inline constexpr std::chrono::seconds kBackdated{60};
inline constexpr std::chrono::minutes kDefaultExpire{5};
inline constexpr std::size_t kMaxShownName = 100;  // of a name that is made from a command line

ActionId NewActionId();

struct Draft {
  ActionId id;
  OrgId org;
  std::uint64_t policy = 0;  // version that the agents must hold at least
  std::string author;        // "Full Name <mail>", from the key file
  std::string name, reason;
};

// Whether an action of that kind must say which machines it was signed for (proto/audience.h).
bool NeedsAudience(Kind kind);

// Valid from `now` - kBackdated for `expire` from now.
Action MakeAction(const Draft& draft, Kind kind, std::string target,
                  std::vector<Operation> operations, const Limits& limits,
                  std::chrono::milliseconds expire, UtcTime now);

// A stop of `stops`, valid as long as that is, `until`, at most as long as agents take one.
Action MakeStop(const Draft& draft, const ActionId& stops, UtcTime until, UtcTime now);

// "file -path /etc -name '^passwd$'": the words as a shell would take them, cut with "…".
std::string NameFromWords(std::string_view module, const std::vector<std::string>& words);

// The limits that nobody asked for otherwise: the defaults, or the policy's ceilings if lower.
Limits DefaultLimits(const Limits& ceilings);

}  // namespace mig::cli
