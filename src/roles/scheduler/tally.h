// Counts what was not taken (intake.h), for the store and for the log, and says when to log it:
// whoever sends garbage must not fill the disk with our complaints. Pure; the time comes in.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "roles/scheduler/intake.h"
#include "util/clock.h"

namespace mig::scheduler {

class Tally {
 public:
  static constexpr std::chrono::seconds kQuiet{10};

  // Counts one. Something: log a line now, and say there that this many came since the last line
  // about this flaw (itself included). At most one line for each flaw in kQuiet.
  std::optional<std::uint64_t> Count(Flaw flaw, const std::optional<AgentId>& agent, UtcTime now) {
    Entry& entry = entries_[static_cast<std::size_t>(flaw)];
    ++entry.total;
    if (!entry.fresh) entry.fresh = Fresh{flaw, 0, {}, now, now};
    ++entry.fresh->count;
    entry.fresh->agent = agent;
    entry.fresh->last = now;
    ++entry.silent;
    // A clock that was set back must not silence the log.
    if (entry.logged && now >= *entry.logged && now - *entry.logged < kQuiet) return std::nullopt;
    entry.logged = now;
    return std::exchange(entry.silent, 0);
  }

  // For the store: what was counted since this was last asked, or given back.
  struct Fresh {
    Flaw flaw = Flaw::kTopic;
    std::uint64_t count = 0;
    std::optional<AgentId> agent;  // of the last one
    UtcTime first, last;
  };
  std::vector<Fresh> TakeFresh() {
    std::vector<Fresh> taken;
    for (std::size_t i = 0; i < kFlaws; ++i) {
      if (!entries_[i].fresh) continue;
      taken.push_back(*std::exchange(entries_[i].fresh, std::nullopt));
    }
    return taken;
  }
  // The store did not take it.
  void GiveBack(const Fresh& back) {
    auto& fresh = entries_[static_cast<std::size_t>(back.flaw)].fresh;
    if (!fresh) {
      fresh = back;
      return;
    }
    fresh->count += back.count;
    fresh->first = back.first;
  }

  std::uint64_t total(Flaw flaw) const { return entries_[static_cast<std::size_t>(flaw)].total; }

 private:
  struct Entry {
    std::uint64_t total = 0, silent = 0;
    std::optional<UtcTime> logged;
    std::optional<Fresh> fresh;
  };
  std::array<Entry, kFlaws> entries_{};
};

}  // namespace mig::scheduler
