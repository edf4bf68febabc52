#include "roles/api/byte_range.h"

#include <charconv>

namespace mig::api {
namespace {

// A number at the beginning of `text`, cut off there.
std::optional<std::uint64_t> TakeNumber(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool Take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

}  // namespace

Expected<ByteRange> ParseRange(std::string_view field) {
  const Error bad(Errc::kInvalid, "Range: expected bytes=FIRST-LAST or bytes=FIRST-");
  if (!Take(field, "bytes=")) return bad;
  const auto first = TakeNumber(field);
  if (!first || !Take(field, "-")) return bad;
  ByteRange range{*first, std::nullopt};
  if (field.empty()) return range;
  range.last = TakeNumber(field);
  if (!range.last || !field.empty() || *range.last < range.first) return bad;
  return range;
}

Expected<Placement> ParseContentRange(std::string_view field, std::uint64_t body_bytes) {
  if (field.empty()) return Placement{0, body_bytes};
  const Error bad(Errc::kInvalid, "Content-Range: expected bytes FIRST-LAST/TOTAL of this body");
  if (!Take(field, "bytes ")) return bad;
  const auto first = TakeNumber(field);
  if (!first || !Take(field, "-")) return bad;
  const auto last = TakeNumber(field);
  if (!last || !Take(field, "/")) return bad;
  const auto total = TakeNumber(field);
  // In this order no sum can overflow.
  if (!total || !field.empty() || *last < *first || *last >= *total ||
      *last - *first != body_bytes - 1 || body_bytes == 0) {
    return bad;
  }
  return Placement{*first, *total};
}

std::string ContentRangeOf(std::uint64_t first, std::uint64_t bytes, std::uint64_t total) {
  return "bytes " + std::to_string(first) + "-" + std::to_string(first + bytes - 1) + "/" +
         std::to_string(total);
}

std::string UnsatisfiedRange(std::uint64_t total) { return "bytes */" + std::to_string(total); }

}  // namespace mig::api
