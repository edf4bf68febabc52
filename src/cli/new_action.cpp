#include "cli/new_action.h"

#include <algorithm>

#include "crypto/ed25519.h"
#include "trust/authorisation.h"
#include "util/text.h"

namespace mig::cli {
namespace {

// "Ada Lovelace <ada@example.net>" in its two halves; a name without a mail is all author.
Description DescriptionOf(std::string_view author) {
  Description description;
  const std::size_t open = author.rfind('<');
  if (open == std::string_view::npos || !author.ends_with('>')) {
    description.author = author;
    return description;
  }
  description.author = Trim(author.substr(0, open));
  description.email = author.substr(open + 1, author.size() - open - 2);
  return description;
}

Action Start(const Draft& draft, UtcTime now) {
  Action action;
  action.id = draft.id;
  action.org = draft.org;
  action.policy = draft.policy;
  action.name = draft.name;
  action.reason = draft.reason;
  action.description = DescriptionOf(draft.author);
  action.validfrom = now - kBackdated;
  return action;
}

std::string Quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

ActionId NewActionId() { return ActionId::FromBytes(RandomBytes(ActionId::kBytes)).value(); }

bool NeedsAudience(Kind kind) { return kind == Kind::kRespond || kind == Kind::kAdmin; }

Action MakeAction(const Draft& draft, Kind kind, std::string target,
                  std::vector<Operation> operations, const Limits& limits,
                  std::chrono::milliseconds expire, UtcTime now) {
  Action action = Start(draft, now);
  action.kind = kind;
  action.target = std::move(target);
  action.operations = std::move(operations);
  action.limits = limits;
  action.expireafter = now + expire;
  return action;
}

Action MakeStop(const Draft& draft, const ActionId& stops, UtcTime until, UtcTime now) {
  Action action = Start(draft, now);
  action.kind = Kind::kStop;
  action.target = "all";  // the scheduler sends it to those that have the action
  action.stops = stops;
  const UtcTime longest = action.validfrom + kMaxStopValidity;
  action.expireafter = std::clamp(until, now + kBackdated, longest);
  return action;
}

std::string NameFromWords(std::string_view module, const std::vector<std::string>& words) {
  std::string name(module);
  for (const std::string& word : words) {
    name += " " + EscapeForTerminal(Quoted(word));
    if (name.size() <= kMaxShownName) continue;
    std::size_t end = kMaxShownName;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0u) == 0x80u) --end;
    return name.substr(0, end) + "\xE2\x80\xA6";  // U+2026
  }
  return name;
}

Limits DefaultLimits(const Limits& ceilings) {
  Limits limits;
  limits.seconds = std::min(limits.seconds, ceilings.seconds);
  limits.rss = std::min(limits.rss, ceilings.rss);
  limits.cpu = std::min(limits.cpu, ceilings.cpu);
  limits.rows = std::min(limits.rows, ceilings.rows);
  limits.bytes = std::min(limits.bytes, ceilings.bytes);
  limits.rate = ceilings.rate;
  return limits;
}

}  // namespace mig::cli
