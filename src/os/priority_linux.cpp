#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/files.h"
#include "os/priority.h"

namespace mig::os {

Expected<void> SetPriority(int nice) {
  if (::getpriority(PRIO_PROCESS, 0) != nice && ::setpriority(PRIO_PROCESS, 0, nice) != 0) {
    return ErrnoError(errno == EACCES || errno == EPERM ? EACCES : errno, "nice");
  }
  constexpr int kWhoProcess = 1;
  constexpr int kByNice = 0;  // the class that follows the nice value, ioprio_set(2)
  constexpr int kIdleClass = 3 << 13;
  // An improvement, no condition: some containers forbid it, and many disks have no scheduler.
  ::syscall(SYS_ioprio_set, kWhoProcess, 0, nice == kLowestPriority ? kIdleClass : kByNice);
  return {};
}

unsigned UsableCores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  // EINVAL: more cores than the set has room for.
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) {
    const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? static_cast<unsigned>(online) : 1;
  }
  return static_cast<unsigned>(CPU_COUNT(&cores));
}

}  // namespace mig::os
