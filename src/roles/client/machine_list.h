// The machines that an action will reach, for the person who signs it.
#pragma once

#include <vector>

#include "cli/api_client.h"
#include "cli/result_check.h"
#include "cli/terminal.h"
#include "proto/action.h"
#include "util/expected.h"

namespace mig {

// "machines    web1, web2 and 12 more": names are the server's word.
void ShowMachines(const std::vector<cli::ShownAgent>& machines, cli::Terminal& terminal);

// Those of an action that the server has: its signed audience, checked, or whom the target matches
// now. Error: kDenied for a list that is not the signed one; as ApiClient.
Expected<std::vector<cli::ShownAgent>> MachinesOf(cli::ApiClient& api, const Action& action);

}  // namespace mig
