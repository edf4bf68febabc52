// Tags of agents: names and values that people have signed, in a policy or in the grant of an
// enrolment token (wire.md, "Grant").
#pragma once

#include <map>
#include <string>

#include "util/expected.h"
#include "util/json.h"

namespace mig {

inline constexpr std::size_t kMaxTags = 64;

using Tags = std::map<std::string, std::string>;

// A tag's name has 1..64 characters [A-Za-z0-9._-], its value is UTF-8 of at most 256 bytes.
// Errors: kInvalid, naming the tag.
Expected<void> CheckTag(std::string_view name, std::string_view value);
Expected<Tags> DecodeTags(const json::object& fields, const std::string& where);
json::object EncodeTags(const Tags& tags);

}  // namespace mig
