#include "os/sandbox.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "os/files.h"
#include "os/landlock_linux.h"
#include "os/sandbox_table_linux.h"
#include "os/seccomp_linux.h"

namespace mig::os {
namespace {

// A user whom no distribution gives to anybody (Debian policy 9.2.2 reserves it), so that nothing
// else runs as it: not `nobody`, whose processes could signal ours.
constexpr uid_t kSandboxUser = 65533;

constexpr std::string_view kNoLandlock =
    "landlock: not in this kernel (5.13 and later have it) or switched off; files are not limited "
    "by path";
constexpr std::string_view kNoSeccomp =
    "seccomp: not in this kernel or switched off; system calls are not filtered";

// ---- Capabilities, without libcap: two system calls.

struct CapabilitySets {
  std::uint64_t effective = 0;
  std::uint64_t permitted = 0;
};

CapabilitySets OwnCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  ::syscall(SYS_capget, &header, data.data());
  return {data[0].effective | std::uint64_t{data[1].effective} << 32,
          data[0].permitted | std::uint64_t{data[1].permitted} << 32};
}

bool SetCapabilities(std::uint64_t kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  for (std::size_t i = 0; i < data.size(); ++i) {
    const auto half = static_cast<std::uint32_t>(kept >> (32 * i));
    data[i] = {half, half, 0};
  }
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

constexpr std::uint64_t Bit(int capability) { return std::uint64_t{1} << capability; }

std::uint64_t CapabilitiesOf(Rights rights) {
  std::uint64_t kept = 0;
  for (const SandboxRow& row : SandboxTable()) {
    if (!rights.Has(row.right)) continue;
    for (const int capability : row.capabilities) kept |= Bit(capability);
  }
  return kept;
}

// From root to an ordinary user with the capabilities of the table. A process that is not root has
// little to lose, and loses that.
Expected<void> DropPrivileges(Rights rights, std::vector<std::string>& missing) {
  const CapabilitySets before = OwnCapabilities();
  const std::uint64_t kept = CapabilitiesOf(rights) & before.permitted;
  if ((before.effective & Bit(CAP_SETPCAP)) != 0) {
    for (int capability = 0; capability < 64; ++capability) {
      // EINVAL ends the list: the kernel knows no more of them.
      if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) break;
    }
  } else if (before.permitted != 0) {
    missing.emplace_back(
        "capabilities: the bounding set stays, because this process lacks CAP_SETPCAP");
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // EINVAL before Linux 4.3: none

  if (::geteuid() == 0 || ::getuid() == 0) {
    constexpr std::uint64_t kNeeded = Bit(CAP_SETUID) | Bit(CAP_SETGID);
    if ((before.effective & kNeeded) == kNeeded) {
      const gid_t group = kSandboxUser;
      if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || ::syscall(SYS_setgroups, 0, nullptr) != 0 ||
          ::syscall(SYS_setresgid, group, group, group) != 0 ||
          ::syscall(SYS_setresuid, kSandboxUser, kSandboxUser, kSandboxUser) != 0) {
        // A user namespace without a mapping for that user (some containers).
        missing.emplace_back(ErrnoError(errno, "user: root could not be left").message());
      }
      ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    } else {
      missing.emplace_back("user: root could not be left, because this process lacks CAP_SETUID");
    }
  }
  if (!SetCapabilities(kept)) return ErrnoError(errno, "capabilities: drop");
  return {};
}

// ---- Resource limits

// Address space in use now; 0 when /proc does not say.
std::uint64_t OwnAddressSpace() {
  const auto text = ReadFile("/proc/self/statm");
  std::uint64_t pages = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool IsRegularFile(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

Expected<void> SetLimit(__rlimit_resource resource, std::uint64_t value, const char* name) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  // Never above what is set already: raising needs a capability, and is not our business.
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(resource, &limit) != 0) {
    return ErrnoError(errno, std::string("resource limits: ") + name);
  }
  return {};
}

Expected<void> SetLimits(const SandboxLimits& limits) {
  // A dump of this process would hold what it read.
  if (auto set = SetLimit(RLIMIT_CORE, 0, "core"); !set) return set;
  // Unless our answer goes into a file, there is no file to write.
  if (!IsRegularFile(1) && !IsRegularFile(2)) {
    if (auto set = SetLimit(RLIMIT_FSIZE, 0, "file size"); !set) return set;
  }
  if (auto set = SetLimit(RLIMIT_NOFILE, limits.open_files, "open files"); !set) return set;
  if (auto set = SetLimit(RLIMIT_MEMLOCK, 0, "locked memory"); !set) return set;
  if (auto set = SetLimit(RLIMIT_MSGQUEUE, 0, "message queues"); !set) return set;
  if (limits.cpu_seconds > 0) {
    if (auto set = SetLimit(RLIMIT_CPU, limits.cpu_seconds, "processor time"); !set) return set;
  }
  return SetLimit(RLIMIT_AS, OwnAddressSpace() + limits.memory_bytes, "memory");
}

// ---- Files by path

std::vector<std::string> ReadablePaths(const SandboxRequest& request) {
  std::vector<std::string> paths;
  for (const SandboxRow& row : SandboxTable()) {
    if (!request.rights.Has(row.right)) continue;
    if (row.right == Right::kReadFiles && !request.read_roots.empty()) {
      paths.insert(paths.end(), request.read_roots.begin(), request.read_roots.end());
    } else {
      paths.insert(paths.end(), row.read_paths.begin(), row.read_paths.end());
    }
  }
  return paths;
}

SandboxLevel LevelOf(bool landlock, bool seccomp, const std::vector<std::string>& missing) {
  if (!landlock && !seccomp) return SandboxLevel::kNone;
  return missing.empty() ? SandboxLevel::kFull : SandboxLevel::kPartial;
}

}  // namespace

std::string_view SandboxLevelName(SandboxLevel level) {
  switch (level) {
    case SandboxLevel::kFull:
      return "full";
    case SandboxLevel::kPartial:
      return "partial";
    case SandboxLevel::kNone:
      return "none";
  }
  return "none";
}

Expected<SandboxReport> EnterSandbox(const SandboxRequest& request) {
  const int parent = ::getppid();
  int parent_death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &parent_death_signal);
  SandboxReport report;

  if (auto set = SetLimits(request.limits); !set) return std::move(set).error();
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return ErrnoError(errno, "no_new_privs");

  // Reading other processes and Landlock exclude each other: inside a Landlock domain no process
  // outside can be looked into (landlock(7), "Ptrace restrictions").
  const bool by_path = !request.rights.Has(Right::kReadProcesses);
  const bool constrained = request.rights.Has(Right::kReadFiles) && !request.read_roots.empty();
  const int landlock = LandlockVersion();
  report.can_limit_folders = landlock > 0;
  if (constrained && (landlock == 0 || !by_path)) {
    return Error(Errc::kUnsupported,
                 landlock == 0
                     ? "the folders that this order is limited to cannot be enforced: " +
                           std::string(kNoLandlock)
                     : "a module that reads other processes cannot be limited to folders");
  }
  if (landlock == 0) {
    report.missing.emplace_back(kNoLandlock);
  } else if (by_path) {
    LandlockRules rules;
    rules.read_paths = ReadablePaths(request);
    rules.network = request.rights.Has(Right::kNetwork);
    rules.truncation_is_forbidden = SeccompAvailable();
    if (auto done = RestrictByLandlock(landlock, rules); !done) return std::move(done).error();
  }

  if (auto dropped = DropPrivileges(request.rights, report.missing); !dropped) {
    return std::move(dropped).error();
  }
  // Not readable through /proc or ptrace by others of this user, and no dump into a pipe, which
  // RLIMIT_CORE does not prevent (core(5)).
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return ErrnoError(errno, "dumpable");
  // A change of user clears this (prctl(2)); whoever asked to die with its parent still does.
  if (parent_death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, parent_death_signal);
    if (::getppid() != parent) return Error(Errc::kUnavailable, "the parent process ended");
  }

  const bool seccomp = SeccompAvailable();
  if (!seccomp) {
    report.missing.emplace_back(kNoSeccomp);
  } else if (auto loaded = LoadSeccompFilter(request.rights, ::getpid()); !loaded) {
    return std::move(loaded).error();
  }
  report.level = LevelOf(landlock > 0, seccomp, report.missing);
  return report;
}

SandboxReport ProbeSandbox() {
  SandboxReport report;
  const bool landlock = LandlockVersion() > 0;
  const bool seccomp = SeccompAvailable();
  report.can_limit_folders = landlock;
  if (!landlock) report.missing.emplace_back(kNoLandlock);
  if (!seccomp) report.missing.emplace_back(kNoSeccomp);
  const CapabilitySets own = OwnCapabilities();
  if (own.permitted != 0 && (own.effective & Bit(CAP_SETPCAP)) == 0) {
    report.missing.emplace_back(
        "capabilities: the bounding set stays, because this process lacks CAP_SETPCAP");
  }
  report.level = LevelOf(landlock, seccomp, report.missing);
  return report;
}

}  // namespace mig::os
