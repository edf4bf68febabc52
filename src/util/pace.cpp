#include "util/pace.h"

#include <algorithm>

namespace mig {
namespace {

using std::chrono::nanoseconds;

// A debt that would not be paid within a day is cut to one, so that no sum overflows.
constexpr nanoseconds kMaxDebt = std::chrono::hours(24);

}  // namespace

std::chrono::milliseconds Pace::Wait(const Rate& rate, UtcTime now) const {
  if (!rate.bounded()) return std::chrono::milliseconds(0);
  const nanoseconds ahead = paid_until_ - now;
  if (ahead <= nanoseconds(0) || ahead < rate.burst) return std::chrono::milliseconds(0);
  // Rounded up to where it is less than the burst.
  return std::chrono::floor<std::chrono::milliseconds>(ahead - rate.burst) +
         std::chrono::milliseconds(1);
}

void Pace::Use(const Rate& rate, std::uint64_t units, UtcTime now) {
  if (!rate.bounded()) return;
  const double seconds = static_cast<double>(units) / static_cast<double>(rate.per_second);
  const double most = std::chrono::duration<double>(kMaxDebt).count();
  const auto cost = std::chrono::duration_cast<nanoseconds>(
      std::chrono::duration<double>(std::min(seconds, most)));
  const std::chrono::sys_time<nanoseconds> start =
      std::max<decltype(paid_until_)>(paid_until_, now);
  paid_until_ = std::min<decltype(paid_until_)>(start + cost, now + kMaxDebt);
}

}  // namespace mig
