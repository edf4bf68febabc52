// "Whoever enrols with this token has these tags": signed by people whom the policy's `enrolment`
// lets (wire.md, "Grant"). The agent keeps it and shows nobody's word but this for its tags.
#pragma once

#include <cstdint>
#include <string_view>

#include "proto/ids.h"
#include "proto/tags.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

inline constexpr std::string_view kGrantType = "application/vnd.mig.grant.v1+json";
inline constexpr std::uint32_t kMaxTokenUses = 1'000'000;

struct Grant {
  OrgId org;
  Bytes token;  // SHA-256 of the token's secret, 32 bytes: the grant belongs to that token alone
  Tags tags;
  std::uint32_t uses = 1;   // 1..kMaxTokenUses: how many agents may enrol with it
  UtcTime issued, expires;  // when they may; the tags stay
};

Expected<Grant> DecodeGrant(BytesView payload);
Bytes EncodeGrant(const Grant& grant);

}  // namespace mig
