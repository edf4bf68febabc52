#include "mqtt/topic.h"

#include <algorithm>

#include "util/text.h"

namespace mig::mqtt {
namespace {

constexpr std::string_view kSharePrefix = "$share/";

Error Malformed(std::string_view what, std::string_view topic) {
  return Error(Errc::kMalformed, std::string(what) + " in " + Quoted(topic));
}

}  // namespace

std::string Quoted(std::string_view topic) {
  constexpr std::size_t kShown = 80;
  const std::string_view shown = Utf8Prefix(topic, kShown);
  return "`" + std::string(shown) + (shown.size() < topic.size() ? "…`" : "`");
}

std::string_view NextLevel(std::string_view& rest, bool& more) {
  const std::size_t slash = rest.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return level;
}

Expected<void> CheckTopicName(std::string_view name) {
  if (name.empty()) return Error(Errc::kMalformed, "an empty topic name");
  if (name.size() > kMaxTopicBytes) return Malformed("more than 65,535 bytes", name);
  if (HasWildcard(name)) return Malformed("a wildcard", name);
  if (name.find('\0') != std::string_view::npos) return Malformed("U+0000", name);
  return {};
}

Expected<void> CheckFilter(std::string_view filter) {
  if (filter.empty()) return Error(Errc::kMalformed, "an empty topic filter");
  if (filter.size() > kMaxTopicBytes) return Malformed("more than 65,535 bytes", filter);
  if (filter.find('\0') != std::string_view::npos) return Malformed("U+0000", filter);
  std::string_view rest = filter;
  if (filter.starts_with(kSharePrefix)) {
    // "$share/{ShareName}/{filter}": the name is not empty and holds no "/", "+" or "#", and is
    // followed by "/" and a filter (section 4.8.2).
    rest.remove_prefix(kSharePrefix.size());
    bool more = false;
    const std::string_view share = NextLevel(rest, more);
    if (share.empty() || HasWildcard(share)) return Malformed("a bad share name", filter);
    if (!more || rest.empty()) return Malformed("no filter after the share name", filter);
  } else if (filter == "$share") {
    return Malformed("no share name", filter);
  }
  for (bool more = true; more;) {
    const std::string_view level = NextLevel(rest, more);
    if (level.size() > 1 && HasWildcard(level)) {
      return Malformed("a wildcard that is not a whole level", filter);
    }
    if (level == "#" && more) return Malformed("levels after `#`", filter);
  }
  return {};
}

bool Matches(std::string_view filter, std::string_view name) {
  if (name.starts_with('$') && !filter.empty() && (filter[0] == '+' || filter[0] == '#')) {
    return false;
  }
  bool more_filter = true;
  bool more_name = true;
  while (more_filter && more_name) {
    const std::string_view wanted = NextLevel(filter, more_filter);
    if (wanted == "#") return true;
    const std::string_view level = NextLevel(name, more_name);
    if (wanted != "+" && wanted != level) return false;
  }
  if (more_name) return false;
  // "sport/#" also matches "sport": the number sign includes the parent level.
  return !more_filter || filter == "#";
}

bool HasWildcard(std::string_view filter) {
  return filter.find_first_of("+#") != std::string_view::npos;
}

bool Covers(std::string_view outer, std::string_view inner) {
  // A leading wildcard of `outer` leaves out names with `$`, so that `$…` needs a spelt-out right.
  if (inner.starts_with('$') && !outer.empty() && (outer[0] == '+' || outer[0] == '#')) {
    return false;
  }
  if (outer == "+/#") outer = "#";  // a name has one level at least
  bool more_outer = true;
  bool more_inner = true;
  while (more_outer && more_inner) {
    const std::string_view allowed = NextLevel(outer, more_outer);
    if (allowed == "#") return true;
    const std::string_view asked = NextLevel(inner, more_inner);
    if (asked == "#") return false;
    if (allowed == "+") continue;
    if (asked == "+" || asked != allowed) return false;
  }
  if (more_inner) return false;
  return !more_outer || outer == "#";
}

bool Overlap(std::string_view a, std::string_view b) {
  const auto begins_wild = [](std::string_view filter) {
    return filter.starts_with('+') || filter.starts_with('#');
  };
  if ((begins_wild(a) && b.starts_with('$')) || (begins_wild(b) && a.starts_with('$'))) {
    return false;  // a leading wildcard leaves out names with `$`
  }
  bool more_a = true;
  bool more_b = true;
  while (more_a && more_b) {
    const std::string_view one = NextLevel(a, more_a);
    const std::string_view other = NextLevel(b, more_b);
    if (one == "#" || other == "#") return true;
    if (one != "+" && other != "+" && one != other) return false;
  }
  return (!more_a || a == "#") && (!more_b || b == "#");
}

std::size_t CountLevels(std::string_view topic) {
  return 1 + static_cast<std::size_t>(std::ranges::count(topic, '/'));
}

std::optional<SharedFilter> SplitShared(std::string_view filter) {
  if (!filter.starts_with(kSharePrefix)) return std::nullopt;
  filter.remove_prefix(kSharePrefix.size());
  bool more = false;
  const std::string_view share = NextLevel(filter, more);
  return SharedFilter{share, filter};
}

}  // namespace mig::mqtt
