// Amounts of bytes as people write them: "4096", "64k", "8m", "1g", "2t"; 1024-based.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig {

// Units k m g t in either case, or none. Below 2^63. Error: kInvalid.
Expected<std::uint64_t> ParseSize(std::string_view text);

// For people: at most three digits and a unit, rounded: "812 B", "1.5 MiB", "230 GiB".
std::string FormatSize(std::uint64_t bytes);

}  // namespace mig
