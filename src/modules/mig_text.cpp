#include "modules/mig_text.h"

#include <array>
#include <cstdio>

namespace mig {

std::string ModeText(const os::FileStatus& status) {
  std::string text;
  switch (status.type) {
    case os::FileType::kDirectory:
      text += 'd';
      break;
    case os::FileType::kSymlink:
      text += 'L';
      break;
    case os::FileType::kFifo:
      text += 'p';
      break;
    case os::FileType::kSocket:
      text += 'S';
      break;
    case os::FileType::kCharDevice:
      text += "Dc";
      break;
    case os::FileType::kBlockDevice:
      text += 'D';
      break;
    case os::FileType::kUnknown:
      text += '?';
      break;
    case os::FileType::kRegular:
      break;
  }
  if ((status.mode & 04000u) != 0) text += 'u';
  if ((status.mode & 02000u) != 0) text += 'g';
  if ((status.mode & 01000u) != 0) text += 't';
  if (text.empty()) text = "-";
  constexpr std::string_view kPermissions = "rwxrwxrwx";
  for (unsigned bit = 0; bit < 9; ++bit) {
    text += (status.mode & (0400u >> bit)) != 0 ? kPermissions[bit] : '-';
  }
  return text;
}

std::string TimeText(std::int64_t seconds_since_1970, std::uint32_t nanoseconds) {
  constexpr std::int64_t kYear1 = -62'135'596'800;
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  if (seconds_since_1970 < kYear1 || seconds_since_1970 >= kYear10000) {
    return "@" + std::to_string(seconds_since_1970);
  }
  using std::chrono::days;
  using std::chrono::seconds;
  const std::chrono::sys_seconds time{seconds(seconds_since_1970)};
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string out = text.data();
  if (nanoseconds != 0) {
    std::string digits = std::to_string(nanoseconds);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    out += "." + digits;
  }
  return out + " +0000 UTC";
}

std::string DurationText(std::chrono::nanoseconds duration) {
  const std::int64_t ns = duration.count();
  // A number with its fraction cut of trailing zeros.
  const auto scaled = [](std::int64_t value, std::int64_t unit, std::string_view name) {
    std::string text = std::to_string(value / unit);
    std::string fraction = std::to_string(unit + value % unit).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    if (!fraction.empty()) text += "." + fraction;
    return text + std::string(name);
  };
  if (ns < 1'000) return std::to_string(ns) + "ns";
  if (ns < 1'000'000) return scaled(ns, 1'000, "\xC2\xB5s");
  if (ns < 1'000'000'000) return scaled(ns, 1'000'000, "ms");
  const std::int64_t minutes = ns / 60'000'000'000;
  const std::string seconds = scaled(ns % 60'000'000'000, 1'000'000'000, "s");
  if (minutes == 0) return seconds;
  if (minutes < 60) return std::to_string(minutes) + "m" + seconds;
  return std::to_string(minutes / 60) + "h" + std::to_string(minutes % 60) + "m" + seconds;
}

}  // namespace mig
