// What came to the server as if from agents and was not taken: said where people look at what goes
// on, because it is a broken agent, or somebody who tries.
#pragma once

#include "cli/terminal.h"
#include "roles/client/connection.h"

namespace mig {

// Nothing when the last day had none.
void RemarkOnNotTaken(Connection& connection, cli::Terminal& terminal);

}  // namespace mig
