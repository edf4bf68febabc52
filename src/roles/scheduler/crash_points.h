// The places where the scheduler may be killed in tests (util/crash_point.h): around each write to
// the store and each thing it sends. test/e2e walks this list.
#pragma once

#include <span>

namespace mig {

std::span<const char* const> SchedulerCrashPoints();

}  // namespace mig
