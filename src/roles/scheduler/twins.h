// Two agents of a deployment on one machine: the server may not end one, so it proposes that to
// people (mig pending). Decides; the store keeps the proposal.
#pragma once

#include <span>
#include <vector>

#include "store/server_tx.h"
#include "util/clock.h"

namespace mig::scheduler {

// That the one which began last ends each of the others. `twins`: as ServerReader::ListTwins. What
// was proposed before, or refused by a person, the store does not take twice.
std::vector<store::NewProposal> ProposeForTwins(std::span<const store::TwinRow> twins, UtcTime now);

}  // namespace mig::scheduler
