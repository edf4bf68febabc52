// `mig agent report`: the ledger of this machine for its owner, and whether anybody changed it
// since. No network, no agent needed.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "roles/agent/report_head.h"
#include "trust/ledger_anchor.h"
#include "trust/ledger_audit.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::agent {

// A key that this machine signs with, or signed with before its identity was reset.
struct OwnKey {
  AgentId id;
  // Of the ledger: that key signed nothing from this entry on. 0: it is the key of today.
  std::uint64_t until = 0;
};

// What the marks of anchors are worth for this machine.
struct UsefulAnchors {
  std::vector<HeldMark> marks;
  std::size_t foreign = 0;  // of other machines
  // Signed with an earlier key of this machine after it was given up: by a copy of it.
  std::size_t of_copies = 0;
};
UsefulAnchors SelectAnchors(const std::vector<LedgerAnchor>& anchors,
                            const std::vector<OwnKey>& own);

struct ReportRequest {
  std::filesystem::path database;
  std::optional<UtcTime> since, until;
  bool json = false;
  bool verify_only = false;  // no entries, only the verdict
  std::vector<HeldMark> marks;
  std::vector<std::string> remarks;  // said with the verdict
  ReportHead head;                   // before the entries
};

// Prints to the terminal. True: nothing was changed, as far as can be told. Error: the database
// cannot be read.
Expected<bool> PrintReport(const ReportRequest& request, cli::Terminal& terminal);

// A moment: RFC 3339, a day ("2026-11-23", UTC), or a distance back from now ("2d").
Expected<UtcTime> ParseMoment(std::string_view text, UtcTime now);

int RunReport(std::span<const std::string> arguments);

}  // namespace mig::agent
