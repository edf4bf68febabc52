// `mig-test` on a kernel without Landlock: its system calls answer ENOSYS, as one before 5.13 does
// and as the seccomp profile of many a container makes them, to this process and all that it
// starts.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string>

namespace {

// The same on every architecture; landlock_create_ruleset, _add_rule and _restrict_self.
constexpr unsigned kFirstCall = 444;
constexpr unsigned kLastCall = 446;

bool TakeLandlockAway() {
  std::array<sock_filter, 5> steps = {{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kFirstCall, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, kLastCall, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog program{steps.size(), steps.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

int main(int, char** arguments) {
  if (!TakeLandlockAway()) {
    std::perror("seccomp");
    return 1;
  }
  std::string program = MIG_BUILD_DIR "/mig-test";
  arguments[0] = program.data();
  ::execv(program.c_str(), arguments);
  std::perror(program.c_str());
  return 1;
}
