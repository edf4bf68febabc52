// Remembering, after the answers to an action were read, what they say of agents' ledgers
// (cli/anchor_store.h).
#pragma once

#include <string>

#include "cli/anchor_store.h"
#include "cli/terminal.h"

namespace mig {

// UserStateFolder()/anchors.jsonl. Error: kInvalid when no home is known.
Expected<cli::AnchorStore> KeptAnchors();

// Keeps what was gathered, and tells the person which agents' ledgers went back. That it could not
// be kept is a remark, no failure: the answers are there.
void KeepAnchors(const cli::AnchorGatherer& seen, const std::string& holder,
                 cli::Terminal& terminal);

}  // namespace mig
