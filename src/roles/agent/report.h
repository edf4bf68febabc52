// The ledger in plain words, for the owner of the machine: what was asked of it, by whom, what was
// decided and what was answered. roles/agent/report_verb.h prints it.
#pragma once

#include <string>

#include "trust/ledger.h"
#include "util/expected.h"

namespace mig::agent {

// One entry as a line of text without a newline: what happened, not when. Texts that came from
// elsewhere are made safe to print. An event that this build does not know is shown as its facts.
std::string DescribeEntry(const LedgerEntry& entry);

// One entry as `--json` prints it.
json::object EntryToJson(const LedgerEntry& entry);

}  // namespace mig::agent
