// Counts what was not taken (intake.h) and says when to log it: whoever sends garbage must not fill
// the disk with our complaints. Pure; the time comes in.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "roles/scheduler/intake.h"
#include "util/clock.h"

namespace mig::scheduler {

class Tally {
 public:
  static constexpr std::chrono::seconds kQuiet{10};

  // Counts one. Something: log a line now, and say there that this many came since the last line
  // about this flaw (itself included). At most one line for each flaw in kQuiet.
  std::optional<std::uint64_t> Count(Flaw flaw, UtcTime now) {
    Entry& entry = entries_[static_cast<std::size_t>(flaw)];
    ++entry.total;
    ++entry.silent;
    // A clock that was set back must not silence the log.
    if (entry.logged && now >= *entry.logged && now - *entry.logged < kQuiet) return std::nullopt;
    entry.logged = now;
    return std::exchange(entry.silent, 0);
  }

  std::uint64_t total(Flaw flaw) const { return entries_[static_cast<std::size_t>(flaw)].total; }

 private:
  struct Entry {
    std::uint64_t total = 0, silent = 0;
    std::optional<UtcTime> logged;
  };
  std::array<Entry, kFlaws> entries_{};
};

}  // namespace mig::scheduler
