// How long a process that died waits before it is started again. Pure.
#pragma once

#include <algorithm>
#include <chrono>

namespace mig::lab {

class RestartBackoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{200};
  static constexpr std::chrono::milliseconds kLongest{1'000};
  // Who ran so long is not one that dies at its start.
  static constexpr std::chrono::milliseconds kSound{2'000};

  // The wait after a run of that length: kFirst, doubled with each short run that follows another.
  std::chrono::milliseconds Next(std::chrono::milliseconds ran) {
    if (ran >= kSound) wait_ = kFirst;
    const auto wait = wait_;
    wait_ = std::min(wait_ * 2, kLongest);
    return wait;
  }

 private:
  std::chrono::milliseconds wait_ = kFirst;
};

}  // namespace mig::lab
