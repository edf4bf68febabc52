#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include <cerrno>

#include "os/cpu_share.h"
#include "os/files.h"

namespace mig::os {
namespace {

using std::chrono::nanoseconds;

constexpr long kSliceMicroseconds = 10'000;

// Written before the timer starts, then only by the handler.
unsigned share_percent = 100;
nanoseconds last_used{0};
nanoseconds last_wall{0};

nanoseconds Clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

// Runs after each slice of processor time. Only async-signal-safe calls: the two clocks and sleep.
void Rest(int) {
  const int saved = errno;
  const nanoseconds used = Clock(CLOCK_PROCESS_CPUTIME_ID);
  const nanoseconds wall = Clock(CLOCK_MONOTONIC);
  const nanoseconds pause = PauseFor(used - last_used, wall - last_wall, share_percent);
  last_used = used;
  last_wall = wall + pause;
  timespec left{};
  left.tv_sec = static_cast<time_t>(pause.count() / 1'000'000'000);
  left.tv_nsec = static_cast<long>(pause.count() % 1'000'000'000);
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
  errno = saved;
}

}  // namespace

nanoseconds PauseFor(nanoseconds used, nanoseconds elapsed, unsigned percent) {
  if (percent == 0 || percent >= 100) return nanoseconds(0);
  const nanoseconds pause = used * 100 / percent - elapsed;
  if (pause <= nanoseconds(0)) return nanoseconds(0);
  return std::min<nanoseconds>(pause, std::chrono::seconds(1));
}

Expected<void> LimitCpuShare(unsigned percent) {
  if (percent >= 100) return {};
  share_percent = percent;
  last_used = Clock(CLOCK_PROCESS_CPUTIME_ID);
  last_wall = Clock(CLOCK_MONOTONIC);
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
