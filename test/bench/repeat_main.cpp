// Runs one command many times, one after the other, and prints how long it took from start to end
// of output: what a person at a terminal waits for.
//   bench_repeat TIMES STATUS COMMAND [ARGUMENT …]
// prints "MEDIAN P90 MAX PEAK": three times in milliseconds and the largest resident size in bytes.
// STATUS is the exit status that counts as success; another one ends the measurement. COMMAND is an
// absolute path and inherits the environment.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "os/child_process.h"

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::chrono::seconds kLongest{60};

// The first runs find cold caches and are not what people feel all day.
constexpr int kWarmUpRuns = 3;

bool ParseNumber(const char* text, int min, int max, int& number) {
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end && number >= min && number <= max;
}

// The value below which `share` of the sorted, non-empty `values` lie (nearest rank).
double Quantile(const std::vector<double>& values, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

int main(int argc, char** argv) {
  int times = 0;
  int status = 0;
  if (argc < 4 || !ParseNumber(argv[1], 1, 1'000'000, times) ||
      !ParseNumber(argv[2], 0, 255, status) || argv[3][0] != '/') {
    std::fprintf(stderr, "usage: bench_repeat TIMES STATUS /COMMAND [ARGUMENT ...]\n");
    return 2;
  }
  mig::os::ChildOptions options;
  options.program = argv[3];
  options.argv.assign(argv + 3, argv + argc);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    options.environment.emplace_back(*variable);
  }
  options.low_priority = false;

  std::vector<double> taken;
  std::uint64_t peak_bytes = 0;
  for (int run = -kWarmUpRuns; run < times; ++run) {
    const auto start = Clock::now();
    const auto outcome = mig::os::RunChild(options, {}, kLongest);
    const double milliseconds = Milliseconds(Clock::now() - start).count();
    if (!outcome) {
      std::fprintf(stderr, "bench_repeat: %s\n", outcome.error().message().c_str());
      return 1;
    }
    if (outcome->timed_out || outcome->exit.status != status) {
      std::fprintf(stderr, "bench_repeat: %s: %s instead of exit status %d\n%s%s", argv[3],
                   outcome->timed_out ? "no end within a minute" : outcome->exit.Describe().c_str(),
                   status, outcome->stdout_bytes.c_str(), outcome->stderr_bytes.c_str());
      return 1;
    }
    if (run < 0) continue;
    taken.push_back(milliseconds);
    peak_bytes = std::max(peak_bytes, outcome->exit.max_resident_bytes);
  }
  std::sort(taken.begin(), taken.end());
  std::printf("%.2f %.2f %.2f %llu\n", Quantile(taken, 0.5), Quantile(taken, 0.9), taken.back(),
              static_cast<unsigned long long>(peak_bytes));
  return 0;
}
