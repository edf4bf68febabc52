// Random choices that a seed repeats, on every machine: the standard's distributions do not promise
// that, its engines do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace mig::file {

class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : engine_(seed) {}

  // 0 to bound - 1. Requires: bound > 0.
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(engine_() % bound); }
  bool OneIn(std::size_t count) { return Below(count) == 0; }
  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace mig::file
