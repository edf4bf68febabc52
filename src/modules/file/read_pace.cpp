#include "modules/file/read_pace.h"

#include <thread>

namespace mig::file {
namespace {

// What may be read at once after a pause, so that the sleeps are not too many and too short.
constexpr std::chrono::milliseconds kBurst{20};

// Not the wall clock, which somebody may set.
UtcTime SteadyNow() {
  return UtcTime(std::chrono::duration_cast<UtcTime::duration>(
      std::chrono::steady_clock::now().time_since_epoch()));
}

}  // namespace

ReadPace::ReadPace(std::uint64_t bytes_per_second)
    : ReadPace(bytes_per_second, SteadyNow,
               [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }) {}

ReadPace::ReadPace(std::uint64_t bytes_per_second, std::function<UtcTime()> now,
                   std::function<void(std::chrono::milliseconds)> sleep)
    : rate_{bytes_per_second, kBurst}, now_(std::move(now)), sleep_(std::move(sleep)) {}

void ReadPace::Take(std::uint64_t bytes) {
  if (!rate_.bounded() || bytes == 0) return;
  std::chrono::milliseconds wait;
  {
    const std::lock_guard held(lock_);
    const UtcTime now = now_();
    pace_.Use(rate_, bytes, now);
    wait = pace_.Wait(rate_, now);
  }
  if (wait > std::chrono::milliseconds(0)) sleep_(wait);
}

}  // namespace mig::file
