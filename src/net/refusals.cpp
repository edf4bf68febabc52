#include "net/refusals.h"

#include <utility>

namespace mig {

Refusals::Line Refusals::Count(std::string_view reason, UtcTime now) {
  Entry& entry = entries_[reason];
  ++entry.total;
  const UtcTime second = std::chrono::floor<std::chrono::seconds>(now);
  if (second != entry.second) {
    entry.second = second;
    entry.lines = 0;
  }
  if (entry.lines >= kLinesASecond) {
    ++entry.suppressed;
    return {};
  }
  ++entry.lines;
  return {true, std::exchange(entry.suppressed, 0)};
}

std::map<std::string_view, std::uint64_t> Refusals::Totals() const {
  std::map<std::string_view, std::uint64_t> totals;
  for (const auto& [reason, entry] : entries_) totals.emplace(reason, entry.total);
  return totals;
}

}  // namespace mig
