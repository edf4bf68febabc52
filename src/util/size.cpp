#include "util/size.h"

#include <array>
#include <cstdio>

#include "util/text.h"

namespace mig {

Expected<std::uint64_t> ParseSize(std::string_view text) {
  const std::string_view units = "kmgt";
  std::uint64_t number = 0;
  std::size_t digits = 0;
  // 15 digits cannot overflow; no amount that fits below needs more.
  while (digits < text.size() && digits < 15 && text[digits] >= '0' && text[digits] <= '9') {
    number = number * 10 + static_cast<std::uint64_t>(text[digits++] - '0');
  }
  const std::string unit = LowerAscii(text.substr(digits));
  if (digits > 0 && unit.empty()) return number;
  if (digits > 0 && unit.size() == 1 && units.find(unit[0]) != std::string_view::npos) {
    const unsigned shift = 10 * (static_cast<unsigned>(units.find(unit[0])) + 1);
    if (number < (std::uint64_t{1} << (63 - shift))) return number << shift;
  }
  return Error(Errc::kInvalid,
               "expected a size like 4096, 64k, 8m or 1g, not `" + std::string(text) + "`");
}

std::string FormatSize(std::uint64_t bytes) {
  constexpr std::array<const char*, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  double amount = static_cast<double>(bytes);
  // 999.5 would be printed with four digits.
  while (amount >= 999.5 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  const bool fraction = unit > 0 && amount < 9.95;
  std::snprintf(text.data(), text.size(), fraction ? "%.1f %s" : "%.0f %s", amount, kUnits[unit]);
  return text.data();
}

}  // namespace mig
