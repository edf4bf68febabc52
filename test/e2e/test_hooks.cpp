// What the test executable has beyond the shipped one: a crash hook, and the probe module.
//
// $MIG_CRASH_DIR/arm/NAME holds a number n: the process that passes crash point NAME for the n-th
// time from then on removes the file and dies by SIGKILL. $MIG_CRASH_DIR/seen/NAME appears when a
// point was passed at all, so that a test can tell a point that nothing reaches.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

#include "modules/module.h"
#include "test/e2e/probe_module.h"
#include "util/crash_point.h"

namespace mig {
namespace {

void Touch(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
}

void MaybeCrash(const char* name) {
  static const char* const directory = std::getenv("MIG_CRASH_DIR");
  if (directory == nullptr) return;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static std::set<std::string> seen;
  if (seen.insert(name).second) Touch(std::string(directory) + "/seen/" + name);

  const std::string armed = std::string(directory) + "/arm/" + name;
  const int fd = open(armed.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  char text[16] = {};
  const ssize_t size = read(fd, text, sizeof text - 1);
  const int passes = size > 0 ? std::atoi(text) : 1;
  if (passes > 1) {
    const int length = std::snprintf(text, sizeof text, "%d\n", passes - 1);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, static_cast<std::size_t>(length), 0) != length) {
      std::abort();  // the test's own folder cannot be written: no result would mean anything
    }
    close(fd);
    return;
  }
  unlink(armed.c_str());
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

struct Install {
  Install() {
    crash_hook = &MaybeCrash;
    RegisterTestModule(ProbeModule());
    RegisterTestModule(ProbeActModule());
  }
} install;

}  // namespace
}  // namespace mig
