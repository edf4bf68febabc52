// What a run may use. In an action: what the signer grants; in a policy: the ceilings.
#pragma once

#include <cstdint>
#include <string>

#include "util/expected.h"
#include "util/json.h"

namespace mig {

struct Limits {
  std::uint32_t seconds = 300;                   // wall clock for the whole action
  std::uint64_t rss = std::uint64_t{512} << 20;  // bytes of memory for one child
  std::uint32_t cpu = 50;                        // percent of one core, averaged; 1..6400
  std::uint64_t rows = 1'000'000;                // elements returned by the whole action
  std::uint64_t bytes = std::uint64_t{1} << 30;  // bytes of result by the whole action

  std::uint64_t rate = 0;  // bytes read from files a second; 0: no limit

  bool operator==(const Limits&) const = default;
};

// Absent fields keep the defaults above; unknown ones are refused.
Expected<Limits> DecodeLimits(const json::object& fields, const std::string& where);
json::object EncodeLimits(const Limits& limits);

// Empty when `limits` is within `ceilings`, else the first field that is not ("rss").
std::string FirstAbove(const Limits& limits, const Limits& ceilings);

}  // namespace mig
