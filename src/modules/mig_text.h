// Times, durations and file modes as MIG writes them, which are Go's forms: what its users read and
// what their regular expressions match.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "os/file_status.h"

namespace mig {

// "2015-02-07 01:51:07.17850601 +0000 UTC"; outside the years 1 to 9999 "@SECONDS".
std::string TimeText(std::int64_t seconds_since_1970, std::uint32_t nanoseconds);

// "2.017849ms", "1m3.5s".
std::string DurationText(std::chrono::nanoseconds duration);

// "-rw-r-----", "drwxr-xr-x", "urwxr-xr-x".
std::string ModeText(const os::FileStatus& status);

}  // namespace mig
