// The machines that an action will reach, for the person who signs it.
#pragma once

#include <vector>

#include "cli/result_check.h"
#include "cli/terminal.h"

namespace mig {

// "machines    web1, web2 and 12 more": names are the server's word.
void ShowMachines(const std::vector<cli::ShownAgent>& machines, cli::Terminal& terminal);

}  // namespace mig
