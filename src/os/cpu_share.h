// Holding this process to a share of the processors, so that what it does takes longer instead of
// taking away: its threads sleep whenever it has used more than its share. Works for any code,
// without privileges, and inside the sandbox.
#pragma once

#include <chrono>

#include "util/expected.h"

namespace mig::os {

// From now on the process, all its threads together, uses at most `percent` of one core, averaged
// over some tens of milliseconds; 100 for each thread and more: no limit. System calls that are not
// restarted (poll) may end with EINTR. Uses SIGPROF and ITIMER_PROF. Error: kIo.
Expected<void> LimitCpuShare(unsigned percent, unsigned threads = 1);

// The account of it. Time that was not used counts as rest already taken, but never more than a
// little: who has waited for a minute does not get a minute at full speed.
struct CpuAccount {
  std::chrono::nanoseconds base{0};  // when nothing had been used yet, had it always kept its share

  // How long to sleep at `now`, with `used` since the start, until the share is kept again. Never
  // more than a second. Moves `base` when too much was left unused.
  std::chrono::nanoseconds PauseAt(std::chrono::nanoseconds now, std::chrono::nanoseconds used,
                                   unsigned percent);
};

}  // namespace mig::os
