// "This policy was still the newest at that time": what a key that the policy names, and that is
// kept off the server, signs again and again (wire.md, "Freshness"). Without a fresh one nobody can
// respond or administer, so that a server that keeps a newer policy back wins little.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/ids.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

inline constexpr std::string_view kFreshnessType = "application/vnd.mig.freshness.v1+json";

struct Freshness {
  OrgId org;
  std::uint64_t policy = 0;  // its version
  Bytes digest;              // SHA-256 of its payload, 32 bytes
  UtcTime time;
};

Expected<Freshness> DecodeFreshness(BytesView payload);
Bytes EncodeFreshness(const Freshness& freshness);

}  // namespace mig
