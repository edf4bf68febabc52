// How fast a run may read: bytes a second, all its workers together.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "util/pace.h"

namespace mig::file {

class ReadPace {
 public:
  // 0: any. The clock and the sleep are the machine's, unless a test brings others.
  explicit ReadPace(std::uint64_t bytes_per_second);
  ReadPace(std::uint64_t bytes_per_second, std::function<UtcTime()> now,
           std::function<void(std::chrono::milliseconds)> sleep);

  // So many bytes have been read: returns when the next may be.
  void Take(std::uint64_t bytes);

 private:
  Rate rate_;
  std::function<UtcTime()> now_;
  std::function<void(std::chrono::milliseconds)> sleep_;
  std::mutex lock_;
  Pace pace_;
};

}  // namespace mig::file
