// How fast something may be used: so many units a second in the long run, and more at once after a
// pause (a token bucket, kept as the one point in time up to which everything is paid for). Pure:
// the time comes as an argument.
#pragma once

#include <chrono>
#include <cstdint>

#include "util/clock.h"

namespace mig {

struct Rate {
  std::uint64_t per_second = 0;        // 0: no bound
  std::chrono::milliseconds burst{0};  // for how long what was not used may be used later

  bool bounded() const { return per_second > 0; }
};

class Pace {
 public:
  // Zero when there is room now, else for how long there is none.
  std::chrono::milliseconds Wait(const Rate& rate, UtcTime now) const;

  // Uses so many units, even if there is no room: what has happened is to be paid for.
  void Use(const Rate& rate, std::uint64_t units, UtcTime now);

  // True if this is as good as a new one.
  bool Rested(UtcTime now) const { return paid_until_ <= now; }

 private:
  std::chrono::sys_time<std::chrono::nanoseconds> paid_until_{};
};

}  // namespace mig
