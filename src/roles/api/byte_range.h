// Which bytes of an attachment a request speaks of: Range and Content-Range (RFC 9110 section 14),
// one range each, in bytes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::api {

struct ByteRange {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;  // inclusive; nothing: to the end
};

// "bytes=5-9", "bytes=5-". Error: kInvalid for anything else, several ranges and the last N bytes
// included, which nobody needs here.
Expected<ByteRange> ParseRange(std::string_view field);

struct Placement {
  std::uint64_t first = 0;
  std::uint64_t total = 0;
};

// "bytes 5-9/20" of a body of `body_bytes`; an empty field: the body is all of it. Error: kInvalid.
Expected<Placement> ParseContentRange(std::string_view field, std::uint64_t body_bytes);

// "bytes 5-9/20", and for what cannot be had "bytes */20".
std::string ContentRangeOf(std::uint64_t first, std::uint64_t bytes, std::uint64_t total);
std::string UnsatisfiedRange(std::uint64_t total);

}  // namespace mig::api
