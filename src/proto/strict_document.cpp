#include "proto/strict_document.h"

#include <string>

namespace mig {
namespace {

constexpr std::int64_t kMaxExact = std::int64_t{1} << 53;

// Recursion is bounded by json::kMaxDepth.
Expected<void> CheckNumbers(const json::value& v, const std::string& where) {
  if (v.is_object()) {
    for (const auto& member : v.get_object()) {
      const std::string key(member.key());
      auto ok = CheckNumbers(member.value(), where.empty() ? key : where + "." + key);
      if (!ok) return ok;
    }
  } else if (v.is_array()) {
    std::size_t index = 0;
    for (const json::value& item : v.get_array()) {
      auto ok = CheckNumbers(item, where + "[" + std::to_string(index++) + "]");
      if (!ok) return ok;
    }
  } else if (v.is_double()) {
    return Error(Errc::kUnsupported, where + ": is not written as a whole number");
  } else if (v.is_uint64() ||
             (v.is_int64() && (v.get_int64() > kMaxExact || v.get_int64() < -kMaxExact))) {
    // uint64 is what the parser makes of numbers past int64 only.
    return Error(Errc::kUnsupported, where + ": a number past 2^53 is written as a string");
  }
  return {};
}

}  // namespace

Expected<json::object> ParseStrictDocument(BytesView text) {
  auto document = json::Parse(text);
  if (!document) return std::move(document).error();
  if (!document->is_object()) return Error(Errc::kMalformed, "JSON: not an object");
  if (auto ok = CheckNumbers(*document, ""); !ok) return std::move(ok).error();
  return std::move(document->as_object());
}

}  // namespace mig
