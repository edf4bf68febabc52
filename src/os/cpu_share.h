// Holding this process to a share of one processor, so that what it does takes longer instead of
// taking away: by sleeping after each slice of time that it used. Works for any code, without
// privileges, and inside the sandbox.
#pragma once

#include <chrono>

#include "util/expected.h"

namespace mig::os {

// From now on the process uses at most `percent` of one core, averaged over some tens of
// milliseconds; 100 and more: no limit. System calls that are not restarted (poll) may end with
// EINTR. Uses SIGPROF and ITIMER_PROF. Error: kIo.
Expected<void> LimitCpuShare(unsigned percent);

// How long to sleep after using `used` during `elapsed`, so that used/(elapsed+sleep) is the
// share. Never more than a second.
std::chrono::nanoseconds PauseFor(std::chrono::nanoseconds used, std::chrono::nanoseconds elapsed,
                                  unsigned percent);

}  // namespace mig::os
