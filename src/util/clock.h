// Points in time (UTC, milliseconds) and durations as people and our formats write them.
// Pure: whoever needs the present asks Now() at the rim and passes it down.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig {

using UtcTime = std::chrono::sys_time<std::chrono::milliseconds>;

// The wall clock. Only for the rim (roles, net); cores get the time as an argument.
UtcTime Now();

// RFC 3339 in UTC: "2026-11-23T09:30:00Z", with ".mmm" only when there are milliseconds.
std::string FormatRfc3339(UtcTime time);

// RFC 3339 with Z or a numeric offset; at most nanoseconds, cut to milliseconds.
// Years 1970 to 9999. Error: kMalformed.
Expected<UtcTime> ParseRfc3339(std::string_view text);

// "90s", "5m", "1h30m", "2d", "250ms"; units d h m s ms. Not negative, at most ten years.
// Error: kMalformed.
Expected<std::chrono::milliseconds> ParseDuration(std::string_view text);

// The shortest exact form that ParseDuration reads: "1h30m", "250ms", "0s".
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace mig
