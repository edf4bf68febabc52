// The machines that a person was shown, as a signed action names them: the Merkle root over their
// ids (proto/audience.h), and the ids themselves, which travel beside the action so that the
// scheduler can prove to each agent that it is among them. Pure.
#pragma once

#include <vector>

#include "cli/result_check.h"
#include "proto/audience.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::cli {

// What the API takes beside one action.
inline constexpr std::size_t kMostShown = 100'000;

struct ShownAudience {
  Audience audience;
  Bytes ids;  // 32 bytes each, ascending
};

// Error: kInvalid for none, or more than kMostShown.
Expected<ShownAudience> AudienceOf(const std::vector<ShownAgent>& shown);

// Whether `ids`, as a server handed them out, are the signed ones. Error: kDenied.
Expected<std::vector<AgentId>> CheckAudience(BytesView ids, const Audience& audience);

}  // namespace mig::cli
