#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "os/files.h"
#include "os/secret_process.h"

namespace mig::os {

Expected<void> ForbidInspection() {
  const rlimit none{0, 0};
  if (setrlimit(RLIMIT_CORE, &none) != 0) return ErrnoError(errno, "forbid core dumps");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return ErrnoError(errno, "forbid inspection");
  return {};
}

Expected<Side> ForkIntoBackground() {
  const FileDescriptor nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nothing.valid()) return ErrnoError(errno, "open /dev/null");
  const pid_t child = fork();
  if (child < 0) return ErrnoError(errno, "fork");
  if (child > 0) return Side::kForeground;
  setsid();
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (dup2(nothing.get(), stream) < 0) _exit(1);
  }
  if (chdir("/") != 0) _exit(1);
  return Side::kBackground;
}

void EndNow(int status) { _exit(status); }

}  // namespace mig::os
