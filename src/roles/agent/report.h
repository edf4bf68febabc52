// The ledger in plain words, for the owner of the machine: what was asked of it, by whom, what was
// decided and what was answered, and whether anybody changed it since. No network, no agent needed.
#pragma once

#include <filesystem>
#include <string>

#include "trust/ledger.h"
#include "util/expected.h"

namespace mig::agent {

// One entry as a line of text without a newline: what happened, not when. Texts that came from
// elsewhere are made safe to print. An event that this build does not know is shown as its facts.
std::string DescribeEntry(const LedgerEntry& entry);

// One entry as `--json` prints it.
json::object EntryToJson(const LedgerEntry& entry);

enum class ReportForm { kText, kJson };

// Prints to stdout. True: the whole chain verified. Error: it cannot be read.
Expected<bool> PrintReport(const std::filesystem::path& database, ReportForm form);

}  // namespace mig::agent
