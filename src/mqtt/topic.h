// MQTT topic names and topic filters: validity, and which filter matches which name.
// Pure functions over UTF-8 text; MQTT 5.0 section 4.7. The tree that indexes filters is
// mqtt/subscription_tree.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::mqtt {

// A topic, filter or identifier as messages show it: whatever its length, it is short, so that no
// peer chooses how long an answer or a line of the log becomes.
std::string Quoted(std::string_view topic);

// Bytes, not characters: the wire carries a two-byte length (MQTT 5.0 section 1.5.4).
inline constexpr std::size_t kMaxTopicBytes = 65'535;

// Checks that a message may be published to `name`: not empty, no wildcard, no U+0000.
// Error: kMalformed, naming what is wrong.
Expected<void> CheckTopicName(std::string_view name);

// Checks that `filter` may be subscribed to: not empty, at most kMaxTopicBytes, `#` only as the
// whole last level, `+` only as a whole level (MQTT 5.0 section 4.7.1). A filter that begins with
// `$share/` must also have the form of a shared subscription.
// Error: kMalformed, naming the offending level.
Expected<void> CheckFilter(std::string_view filter);

// True if a message published to `name` reaches a subscription to `filter`. A filter that starts
// with a wildcard does not match a name that starts with `$` (section 4.7.2).
// Requires: CheckFilter(filter) holds and `name` has no wildcard. Does not allocate.
bool Matches(std::string_view filter, std::string_view name);

bool HasWildcard(std::string_view filter);

// True if every name that `inner` matches is matched by `outer` too: what a right to `outer` allows
// to be subscribed to. Both are filters without `$share`.
bool Covers(std::string_view outer, std::string_view inner);

// True if some name is matched by both. Both are filters without `$share`.
bool Overlap(std::string_view a, std::string_view b);

// How many levels a name or filter has: one more than it has slashes.
std::size_t CountLevels(std::string_view topic);

// `$share/NAME/FILTER` (section 4.8.2), as views into the text.
struct SharedFilter {
  std::string_view share;
  std::string_view filter;
};

// Nothing when the filter is an ordinary one. Requires: CheckFilter(filter) holds.
std::optional<SharedFilter> SplitShared(std::string_view filter);

// Takes the first level off `rest`: "a/b/c" gives "a" and leaves "b/c". `more` becomes false with
// the last level.
std::string_view NextLevel(std::string_view& rest, bool& more);

}  // namespace mig::mqtt
