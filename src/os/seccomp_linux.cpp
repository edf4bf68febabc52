#include "os/seccomp_linux.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <vector>

#include "os/files.h"
#include "os/sandbox_table_linux.h"

namespace mig::os {
namespace {

using Conditions = std::vector<scmp_arg_cmp>;

// Kept in plain numbers where libc's headers say the same under names that differ by version.
constexpr std::uint64_t kSocketTypeMask = 0xF;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
constexpr std::uint64_t kOpenWriteFlags =
    O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

scmp_arg_cmp Is(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp Masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))) {}
  ~Filter() {
    if (context_ != nullptr) ::seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void Allow(int call, const Conditions& conditions = {}) { Add(SCMP_ACT_ALLOW, call, conditions); }
  void Kill(int call) { Add(SCMP_ACT_KILL_PROCESS, call, {}); }
  void Missing(int call) { Add(SCMP_ACT_ERRNO(ENOSYS), call, {}); }

  Expected<void> Load() {
    if (context_ == nullptr) return Error(Errc::kIo, "seccomp: no filter could be made");
    Remember(::seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    Remember(::seccomp_attr_set(context_, SCMP_FLTATR_CTL_NNP, 0));  // set already
    // Sanitizers and libraries may have threads already.
    Remember(::seccomp_attr_set(context_, SCMP_FLTATR_CTL_TSYNC, 1));
    Remember(::seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2));  // a tree, not a list
    if (error_ == 0) Remember(::seccomp_load(context_));
    if (error_ != 0) return ErrnoError(error_, "seccomp: load the filter");
    return {};
  }

 private:
  void Add(std::uint32_t action, int call, const Conditions& conditions) {
    if (context_ == nullptr) return;
    Remember(::seccomp_rule_add_array(context_, action, call,
                                      static_cast<unsigned>(conditions.size()), conditions.data()));
  }
  void Remember(int result) {
    // EDOM: this architecture does not have that call, so there is nothing to allow or to forbid.
    if (result < 0 && result != -EDOM && error_ == 0) error_ = -result;
  }

  scmp_filter_ctx context_;
  int error_ = 0;
};

void AddRulesOfEveryModule(Filter& filter, int self) {
  const auto pid = static_cast<std::uint64_t>(self);
  for (const int call : SystemCallsOfEveryModule()) filter.Allow(call);
  for (const int call : DeadlySystemCalls()) filter.Kill(call);

  // Code comes from the executable and from nowhere else.
  filter.Allow(SCMP_SYS(mmap), {Masked(2, PROT_EXEC, 0)});
  filter.Allow(SCMP_SYS(mprotect), {Masked(2, PROT_EXEC, 0)});

  // Signals to itself only (abort). A thread's number alone (tkill) could be a stranger's.
  filter.Allow(SCMP_SYS(kill), {Is(0, pid)});
  filter.Allow(SCMP_SYS(tgkill), {Is(0, pid)});

  // Threads but no processes. clone3 passes its flags in memory, where no filter can look: glibc
  // falls back to clone when the call seems not to exist.
  filter.Allow(SCMP_SYS(clone), {Masked(0, CLONE_THREAD, CLONE_THREAD)});
  filter.Missing(SCMP_SYS(clone3));

  // Its own limits may be read (pthread_create asks for the stack's), not set.
  filter.Allow(SCMP_SYS(prlimit64), {Is(0, 0), Is(2, 0)});
  filter.Allow(SCMP_SYS(prlimit64), {Is(0, pid), Is(2, 0)});

  for (const int operation : {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC}) {
    filter.Allow(SCMP_SYS(fcntl), {Is(1, static_cast<std::uint64_t>(operation))});
  }
  // Is it a terminal, how much can be read. Not TIOCSTI, which types into the terminal.
  for (const unsigned long request : {TCGETS, TIOCGWINSZ, FIONREAD}) {
    filter.Allow(SCMP_SYS(ioctl), {Is(1, request)});
  }
  filter.Allow(SCMP_SYS(prctl), {Is(0, PR_SET_NAME)});
  filter.Allow(SCMP_SYS(prctl), {Is(0, PR_GET_DUMPABLE)});
}

void AddOpenForReading(Filter& filter) {
  filter.Allow(SCMP_SYS(open), {Masked(1, kOpenWriteFlags, O_RDONLY)});
  filter.Allow(SCMP_SYS(openat), {Masked(2, kOpenWriteFlags, O_RDONLY)});
  filter.Missing(SCMP_SYS(openat2));  // its flags are in memory
}

void AddSockets(Filter& filter) {
  for (const int family : {AF_INET, AF_INET6}) {
    const auto domain = Is(0, static_cast<std::uint64_t>(family));
    filter.Allow(SCMP_SYS(socket), {domain, Masked(1, kSocketTypeMask, SOCK_STREAM)});
    filter.Allow(SCMP_SYS(socket), {domain, Masked(1, kSocketTypeMask, SOCK_DGRAM)});
  }
  filter.Allow(SCMP_SYS(socket),
               {Is(0, AF_INET), Masked(1, kSocketTypeMask, SOCK_RAW), Is(2, IPPROTO_ICMP)});
  filter.Allow(SCMP_SYS(socket),
               {Is(0, AF_INET6), Masked(1, kSocketTypeMask, SOCK_RAW), Is(2, IPPROTO_ICMPV6)});
  // The machine's own addresses (getifaddrs, and getaddrinfo's sorting).
  filter.Allow(SCMP_SYS(socket), {Is(0, AF_NETLINK), Is(2, NETLINK_ROUTE)});
  for (const unsigned long request : {FIONBIO}) {
    filter.Allow(SCMP_SYS(ioctl), {Is(1, request)});
  }
}

// Asking the kernel, and nobody else. What would change something takes CAP_NET_ADMIN.
void AddNetlink(Filter& filter) {
  for (const int family : {NETLINK_ROUTE, NETLINK_SOCK_DIAG}) {
    filter.Allow(SCMP_SYS(socket), {Is(0, AF_NETLINK), Is(2, static_cast<std::uint64_t>(family))});
  }
}

}  // namespace

bool SeccompAvailable() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

Expected<void> LoadSeccompFilter(Rights rights, int self) {
  Filter filter;
  AddRulesOfEveryModule(filter, self);
  for (const SandboxRow& row : SandboxTable()) {
    if (!rights.Has(row.right)) continue;
    for (const int call : row.system_calls) filter.Allow(call);
  }
  // With the network right Landlock leaves only the resolver's files to open.
  if (!rights.empty()) AddOpenForReading(filter);
  if (rights.Has(Right::kNetwork)) AddSockets(filter);
  if (rights.Has(Right::kReadSockets)) AddNetlink(filter);
  return filter.Load();
}

}  // namespace mig::os
