// How long batches take from the moment the broker asks for them until the store has committed
// them: the time that an acknowledgement waits for the disk. Counts only.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "util/clock.h"
#include "util/histogram.h"

namespace mig {

class CommitTimes {
 public:
  void Asked(std::uint64_t batch, std::size_t operations, UtcTime now) {
    waiting_.push_back({batch, now});
    ++batches_;
    operations_ += operations;
  }
  // This batch and all before it.
  void Committed(std::uint64_t batch, UtcTime now) {
    for (; !waiting_.empty() && waiting_.front().batch <= batch; waiting_.pop_front()) {
      seconds_.Observe(std::chrono::duration<double>(now - waiting_.front().asked).count());
    }
  }

  const Histogram& seconds() const { return seconds_; }
  std::uint64_t batches() const { return batches_; }
  std::uint64_t operations() const { return operations_; }

 private:
  struct Waiting {
    std::uint64_t batch = 0;
    UtcTime asked;
  };
  std::deque<Waiting> waiting_;  // bounded by Limits::uncommitted
  // The store groups for 5 ms; a disk that flushes takes up to some 100 ms; beyond, it is in
  // trouble.
  Histogram seconds_{{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}};
  std::uint64_t batches_ = 0;
  std::uint64_t operations_ = 0;
};

}  // namespace mig
