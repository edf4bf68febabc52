#include "os/landlock_linux.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "os/files.h"

namespace mig::os {
namespace {

// linux/landlock.h as of version 7 of the interface; the same on every architecture.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr unsigned kAskVersion = 1;
constexpr int kRulePathBeneath = 1;

struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;  // from version 4
  std::uint64_t scoped;              // from version 6
};

struct __attribute__((packed)) PathBeneath {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};

constexpr std::uint64_t kReadFile = 1u << 2;
constexpr std::uint64_t kReadDir = 1u << 3;
constexpr std::uint64_t kAllOfVersion1 = (1u << 13) - 1;  // execute, write, read, make, remove
constexpr std::uint64_t kRefer = 1u << 13;                // from version 2
constexpr std::uint64_t kTruncate = 1u << 14;             // from version 3
constexpr std::uint64_t kDeviceIoctl = 1u << 15;          // from version 5
constexpr std::uint64_t kBindTcp = 1u << 0;
constexpr std::uint64_t kConnectTcp = 1u << 1;
constexpr std::uint64_t kScopeAbstractSocket = 1u << 0;
constexpr std::uint64_t kScopeSignal = 1u << 1;

// The kernel refuses bits that it does not know, and a larger structure. What is not handled is not
// looked at: where everything may be read, a rule for "/" would say the same, but the kernel would
// climb up to it from each file that is opened. (It does so for truncation as well, to remember
// what may be done with the open file.)
std::size_t FillAttributes(int version, const LandlockRules& rules, bool read_all,
                           RulesetAttributes& attributes) {
  attributes.handled_access_fs = kAllOfVersion1;
  if (version >= 2) attributes.handled_access_fs |= kRefer;
  if (version >= 3) attributes.handled_access_fs |= kTruncate;
  if (version >= 5) attributes.handled_access_fs |= kDeviceIoctl;
  if (read_all) attributes.handled_access_fs &= ~(kReadFile | kReadDir);
  if (read_all && rules.truncation_is_forbidden) attributes.handled_access_fs &= ~kTruncate;
  if (version < 4) return sizeof(std::uint64_t);
  attributes.handled_access_net = rules.network ? kBindTcp : kBindTcp | kConnectTcp;
  if (version < 6) return 2 * sizeof(std::uint64_t);
  attributes.scoped = kScopeAbstractSocket | kScopeSignal;
  return sizeof attributes;
}

}  // namespace

int LandlockVersion() {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

Expected<void> RestrictByLandlock(int version, const LandlockRules& rules) {
  RulesetAttributes attributes{};
  const bool read_all =
      std::find(rules.read_paths.begin(), rules.read_paths.end(), "/") != rules.read_paths.end();
  const std::size_t size = FillAttributes(version, rules, read_all, attributes);
  const FileDescriptor ruleset(static_cast<int>(::syscall(kCreateRuleset, &attributes, size, 0u)));
  if (!ruleset.valid()) return ErrnoError(errno, "landlock: make the ruleset");
  for (const std::string& path : rules.read_paths) {
    if (read_all) break;
    const FileDescriptor place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat status {};
    if (!place.valid() || ::fstat(place.get(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP) continue;
      return ErrnoError(errno, "landlock: open " + path);
    }
    PathBeneath rule{};
    rule.allowed_access = S_ISDIR(status.st_mode) ? kReadFile | kReadDir : kReadFile;
    rule.parent_fd = place.get();
    if (::syscall(kAddRule, ruleset.get(), kRulePathBeneath, &rule, 0u) != 0) {
      return ErrnoError(errno, "landlock: allow " + path);
    }
  }
  if (::syscall(kRestrictSelf, ruleset.get(), 0u) != 0) {
    return ErrnoError(errno, "landlock: restrict this process");
  }
  return {};
}

}  // namespace mig::os
