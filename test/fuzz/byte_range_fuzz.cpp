// Range and Content-Range of requests for attachments: what is accepted lies within its body.
#include <cstdint>

#include "roles/api/byte_range.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  if (const auto range = mig::api::ParseRange(field)) {
    Require(!range->last || *range->last >= range->first, "a range does not end before it begins");
  }
  for (const std::uint64_t body : {std::uint64_t{1}, std::uint64_t{5}, std::uint64_t{1} << 26}) {
    const auto placed = mig::api::ParseContentRange(field, body);
    if (!placed) continue;
    Require(placed->first <= placed->total && body <= placed->total - placed->first,
            "what is sent lies within the whole");
    const std::string text = mig::api::ContentRangeOf(placed->first, body, placed->total);
    const auto again = mig::api::ParseContentRange(text, body);
    Require(again && again->first == placed->first && again->total == placed->total,
            "a placement means the same after a round trip");
  }
  return 0;
}
