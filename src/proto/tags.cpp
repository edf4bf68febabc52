#include "proto/tags.h"

#include <algorithm>

#include "util/text.h"

namespace mig {
namespace {

constexpr std::size_t kMaxTagName = 64;
constexpr std::size_t kMaxTagValue = 256;

bool IsTagName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTagName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
         });
}

}  // namespace

Expected<void> CheckTag(std::string_view name, std::string_view value) {
  if (!IsTagName(name)) {
    return Error(Errc::kInvalid, "tag `" + EscapeForTerminal(std::string(name.substr(0, 80))) +
                                     "`: a name has 1..64 characters A-Z a-z 0-9 . _ -");
  }
  if (value.size() > kMaxTagValue || !IsUtf8(value)) {
    return Error(Errc::kInvalid,
                 "tag `" + std::string(name) + "`: a value is UTF-8 text of at most 256 bytes");
  }
  return {};
}

Expected<Tags> DecodeTags(const json::object& fields, const std::string& where) {
  if (fields.size() > kMaxTags) {
    return Error(Errc::kInvalid, where + ": has more than " + std::to_string(kMaxTags) + " tags");
  }
  Tags tags;
  for (const auto& member : fields) {
    if (!member.value().is_string()) {
      return Error(Errc::kInvalid, where + "." + std::string(member.key()) + ": is not a string");
    }
    const std::string value(member.value().get_string());
    if (auto ok = CheckTag(member.key(), value); !ok) return std::move(ok).error().During(where);
    tags.emplace(member.key(), value);
  }
  return tags;
}

json::object EncodeTags(const Tags& tags) {
  json::object fields;
  for (const auto& [name, value] : tags) fields[name] = value;
  return fields;
}

}  // namespace mig
