#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "os/cpu_share.h"
#include "os/files.h"

namespace mig::os {
namespace {

using std::chrono::nanoseconds;

constexpr long kSliceMicroseconds = 10'000;
constexpr nanoseconds kMostUnused = std::chrono::milliseconds(50);
constexpr nanoseconds kLongestPause = std::chrono::seconds(1);

// Written before the timer starts. The base moves from any thread's handler; of two that move it at
// once either is right.
unsigned share_percent = 100;
std::atomic<std::int64_t> base_nanoseconds{0};
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "a signal handler uses it");

nanoseconds Clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

// Runs after each slice of processor time, in one thread. The others go on, and get the signals of
// the next slices, one after the other, until all rest; what they used meanwhile makes all of them
// rest longer, because the account is the process's. Only async-signal-safe calls: clocks and
// sleep.
void Rest(int) {
  const int saved = errno;
  for (;;) {
    CpuAccount account{nanoseconds(base_nanoseconds.load())};
    const nanoseconds pause =
        account.PauseAt(Clock(CLOCK_MONOTONIC), Clock(CLOCK_PROCESS_CPUTIME_ID), share_percent);
    base_nanoseconds.store(account.base.count());
    if (pause <= nanoseconds(0)) break;
    timespec left{};
    left.tv_sec = static_cast<time_t>(pause.count() / 1'000'000'000);
    left.tv_nsec = static_cast<long>(pause.count() % 1'000'000'000);
    while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
  }
  errno = saved;
}

}  // namespace

nanoseconds CpuAccount::PauseAt(nanoseconds now, nanoseconds used, unsigned percent) {
  const nanoseconds due = base + used * 100 / std::max(percent, 1U);
  if (now - due > kMostUnused) base += now - due - kMostUnused;
  return std::clamp(due - now, nanoseconds(0), kLongestPause);
}

Expected<void> LimitCpuShare(unsigned percent, unsigned threads) {
  if (percent >= 100 * threads) return {};
  share_percent = percent;
  // What was used until now is not counted.
  base_nanoseconds =
      (Clock(CLOCK_MONOTONIC) - Clock(CLOCK_PROCESS_CPUTIME_ID) * 100 / std::max(percent, 1U))
          .count();
  struct sigaction action {};
  action.sa_handler = Rest;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (::sigaction(SIGPROF, &action, nullptr) != 0) return ErrnoError(errno, "limit the CPU share");
  itimerval slice{};
  slice.it_interval.tv_usec = kSliceMicroseconds;
  slice.it_value.tv_usec = kSliceMicroseconds;
  if (::setitimer(ITIMER_PROF, &slice, nullptr) != 0) {
    return ErrnoError(errno, "limit the CPU share");
  }
  return {};
}

}  // namespace mig::os
