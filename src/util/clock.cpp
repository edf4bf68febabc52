#include "util/clock.h"

#include <cstdio>

namespace mig {
namespace {

using std::chrono::milliseconds;

// Reads exactly `digits` decimal digits at `*at`.
bool ReadNumber(std::string_view text, std::size_t* at, std::size_t digits, int* out) {
  if (text.size() < *at + digits) return false;
  int number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[*at + i];
    if (c < '0' || c > '9') return false;
    number = number * 10 + (c - '0');
  }
  *at += digits;
  *out = number;
  return true;
}

bool ReadChar(std::string_view text, std::size_t* at, char wanted) {
  if (*at >= text.size() || text[*at] != wanted) return false;
  ++*at;
  return true;
}

Error BadTime(std::string_view text) {
  return Error(Errc::kMalformed,
               "`" + std::string(text.substr(0, 64)) + "` is not a time like 2026-11-23T09:30:00Z");
}

constexpr UtcTime kEarliest{};  // 1970
constexpr UtcTime kTooLate =
    std::chrono::sys_days(std::chrono::year(10'000) / std::chrono::January / 1);

struct Unit {
  std::string_view name;
  milliseconds length;
};
// Longest first; "ms" is looked for before "m".
constexpr Unit kUnits[] = {
    {"ms", milliseconds(1)},        {"d", std::chrono::hours(24)},  {"h", std::chrono::hours(1)},
    {"m", std::chrono::minutes(1)}, {"s", std::chrono::seconds(1)},
};

}  // namespace

UtcTime Now() {
  return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
}

std::string FormatRfc3339(UtcTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<milliseconds> clock(time - day);
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string text = buffer;
  if (clock.subseconds().count() != 0) {
    std::snprintf(buffer, sizeof buffer, ".%03d", static_cast<int>(clock.subseconds().count()));
    text += buffer;
  }
  return text + "Z";
}

Expected<UtcTime> ParseRfc3339(std::string_view text) {
  std::size_t at = 0;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!ReadNumber(text, &at, 4, &year) || !ReadChar(text, &at, '-') ||
      !ReadNumber(text, &at, 2, &month) || !ReadChar(text, &at, '-') ||
      !ReadNumber(text, &at, 2, &day) || !ReadChar(text, &at, 'T') ||
      !ReadNumber(text, &at, 2, &hour) || !ReadChar(text, &at, ':') ||
      !ReadNumber(text, &at, 2, &minute) || !ReadChar(text, &at, ':') ||
      !ReadNumber(text, &at, 2, &second)) {
    return BadTime(text);
  }
  int fraction_ms = 0;
  if (ReadChar(text, &at, '.')) {
    int digits = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
      if (digits < 3) fraction_ms = fraction_ms * 10 + (text[at] - '0');
    }
    if (digits == 0 || digits > 9) return BadTime(text);
    for (; digits < 3; ++digits) fraction_ms *= 10;
  }
  std::chrono::minutes offset(0);
  if (!ReadChar(text, &at, 'Z')) {
    if (at >= text.size() || (text[at] != '+' && text[at] != '-')) return BadTime(text);
    const int sign = text[at++] == '+' ? 1 : -1;
    int offset_hours = 0, offset_minutes = 0;
    if (!ReadNumber(text, &at, 2, &offset_hours) || !ReadChar(text, &at, ':') ||
        !ReadNumber(text, &at, 2, &offset_minutes) || offset_hours > 23 || offset_minutes > 59) {
      return BadTime(text);
    }
    offset = std::chrono::minutes(sign * (offset_hours * 60 + offset_minutes));
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // Leap seconds (":60") are refused: they have no place on this clock.
  if (at != text.size() || !date.ok() || hour > 23 || minute > 59 || second > 59) {
    return BadTime(text);
  }
  const UtcTime time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                       std::chrono::minutes(minute) + std::chrono::seconds(second) +
                       milliseconds(fraction_ms) - offset;
  // In UTC, where an offset may have moved it out of the years that FormatRfc3339 can write.
  if (time < kEarliest || time >= kTooLate) return BadTime(text);
  return time;
}

Expected<milliseconds> ParseDuration(std::string_view text) {
  const Error bad(Errc::kMalformed, "`" + std::string(text.substr(0, 64)) +
                                        "` is not a duration like 90s, 5m, 1h30m or 2d");
  constexpr milliseconds kLongest = std::chrono::hours(24 * 3660);
  std::string_view rest = text;
  milliseconds sum(0);
  while (!rest.empty()) {
    std::size_t digits = 0;
    long long number = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') {
      number = number * 10 + (rest[digits] - '0');
      if (++digits > 12) return bad;
    }
    if (digits == 0) return bad;
    rest.remove_prefix(digits);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kUnits) {
      if (rest.starts_with(candidate.name)) {
        unit = &candidate;
        break;
      }
    }
    if (unit == nullptr || number > kLongest / unit->length) return bad;
    rest.remove_prefix(unit->name.size());
    sum += number * unit->length;
    if (sum > kLongest) return bad;
  }
  if (text.empty()) return bad;
  return sum;
}

std::string FormatDuration(milliseconds duration) {
  if (duration.count() <= 0) return "0s";
  std::string text;
  for (const std::size_t index : {1u, 2u, 3u, 4u, 0u}) {
    const Unit& unit = kUnits[index];
    const auto count = duration / unit.length;
    if (count == 0) continue;
    text += std::to_string(count);
    text += unit.name;
    duration -= count * unit.length;
  }
  return text;
}

}  // namespace mig
