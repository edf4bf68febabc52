// How often values fell into ranges with fixed upper bounds, as Prometheus counts them: for
// latencies, where a mean hides what matters.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mig {

class Histogram {
 public:
  // `bounds` grow strictly; what is larger than the last falls into a range without bound.
  explicit Histogram(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void Observe(double value) {
    std::size_t range = 0;
    while (range < bounds_.size() && value > bounds_[range]) ++range;
    ++counts_[range];
    ++count_;
    sum_ += value;
  }

  std::span<const double> bounds() const { return bounds_; }
  // How many values fell into each range; one more than there are bounds.
  std::span<const std::uint64_t> counts() const { return counts_; }
  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

}  // namespace mig
