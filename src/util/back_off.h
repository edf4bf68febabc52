// How long to wait before the next attempt: exponential with full jitter, so that many who failed
// together do not come back together. Pure: the caller brings the randomness.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace mig {

class BackOff {
 public:
  BackOff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest), ceiling_(first) {}

  // Between 0 and the ceiling, which doubles with each call from `first` to `longest`. `random` is
  // evenly distributed.
  std::chrono::milliseconds Next(std::uint32_t random) {
    const auto wait = std::chrono::milliseconds(static_cast<std::uint64_t>(ceiling_.count()) *
                                                random / UINT32_MAX);
    ceiling_ = std::min(ceiling_ * 2, longest_);
    return wait;
  }

  // After a success.
  void Reset() { ceiling_ = first_; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds ceiling_;
};

}  // namespace mig
