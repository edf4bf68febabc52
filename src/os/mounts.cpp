#include "os/mounts.h"

#include <algorithm>

#include "os/files.h"
#include "util/text.h"

namespace mig::os {
namespace {

// linux/magic.h and the sources of the file systems. Types without a number of their own share 0.
struct Row {
  std::string_view type;
  std::uint64_t magic;
  MountKind kind;
};
constexpr Row kFileSystems[] = {
    {"9p", 0x01021997, MountKind::kRemote},
    {"afs", 0x5346414F, MountKind::kRemote},
    {"autofs", 0x0187, MountKind::kAutomount},
    {"binfmt_misc", 0x42494e4d, MountKind::kPseudo},
    {"bpf", 0xcafe4a11, MountKind::kPseudo},
    {"btrfs", 0x9123683E, MountKind::kOrdinary},
    {"ceph", 0x00c36400, MountKind::kRemote},
    {"cgroup", 0x27e0eb, MountKind::kPseudo},
    {"cgroup2", 0x63677270, MountKind::kPseudo},
    {"cifs", 0xFF534D42, MountKind::kRemote},
    {"coda", 0x73757245, MountKind::kRemote},
    {"configfs", 0x62656570, MountKind::kPseudo},
    {"debugfs", 0x64626720, MountKind::kPseudo},
    {"devpts", 0x1cd1, MountKind::kPseudo},
    {"efivarfs", 0xde5e81e4, MountKind::kPseudo},
    {"ext4", 0xEF53, MountKind::kOrdinary},
    {"fuse", 0x65735546, MountKind::kRemote},
    {"fusectl", 0x65735543, MountKind::kPseudo},
    {"hugetlbfs", 0x958458f6, MountKind::kPseudo},
    {"lustre", 0x0BD00BD0, MountKind::kRemote},
    {"mqueue", 0x19800202, MountKind::kPseudo},
    {"ncpfs", 0x564c, MountKind::kRemote},
    {"nfs", 0x6969, MountKind::kRemote},
    {"nfs4", 0x6969, MountKind::kRemote},
    {"nsfs", 0x6e736673, MountKind::kPseudo},
    {"ocfs2", 0x7461636f, MountKind::kRemote},
    {"overlay", 0x794c7630, MountKind::kOrdinary},
    {"proc", 0x9fa0, MountKind::kPseudo},
    {"pstore", 0x6165676C, MountKind::kPseudo},
    {"resctrl", 0x7655821, MountKind::kPseudo},
    {"rpc_pipefs", 0x67596969, MountKind::kPseudo},
    {"securityfs", 0x73636673, MountKind::kPseudo},
    {"selinuxfs", 0xf97cff8c, MountKind::kPseudo},
    {"smb3", 0xFE534D42, MountKind::kRemote},
    {"smbfs", 0x517B, MountKind::kRemote},
    {"sysfs", 0x62656572, MountKind::kPseudo},
    {"tmpfs", 0x01021994, MountKind::kOrdinary},
    {"tracefs", 0x74726163, MountKind::kPseudo},
    {"xfs", 0x58465342, MountKind::kOrdinary},
};

// mountinfo writes space, tab, newline and backslash as \040 and so on.
std::string Unescape(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    int code = -1;
    if (field[i] == '\\' && i + 3 < field.size()) {
      code = 0;
      for (std::size_t j = i + 1; j <= i + 3 && code >= 0; ++j) {
        code = field[j] >= '0' && field[j] <= '7' ? code * 8 + (field[j] - '0') : -1;
      }
    }
    if (code >= 0 && code < 256) {
      text += static_cast<char>(code);
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

}  // namespace

std::string_view MountKindName(MountKind kind) {
  switch (kind) {
    case MountKind::kOrdinary:
      return "ordinary";
    case MountKind::kPseudo:
      return "pseudo";
    case MountKind::kRemote:
      return "remote";
    case MountKind::kAutomount:
      return "automount";
  }
  return "ordinary";
}

MountKind KindOfFileSystem(std::string_view type) {
  // "fuse.sshfs" and the like: whatever stands behind them is a process. "fuseblk" is a disk, read
  // by a process all the same.
  if (type.starts_with("fuse.") || type == "fuseblk") return MountKind::kRemote;
  for (const Row& row : kFileSystems) {
    if (row.type == type) return row.kind;
  }
  return MountKind::kOrdinary;
}

MountKind KindOfFileSystemMagic(std::uint64_t magic) {
  for (const Row& row : kFileSystems) {
    if (row.magic == magic) return row.kind;
  }
  return MountKind::kOrdinary;
}

std::string_view FileSystemOfMagic(std::uint64_t magic) {
  for (const Row& row : kFileSystems) {
    if (row.magic == magic) return row.type;
  }
  return {};
}

std::vector<Mount> ParseMountInfo(std::string_view text) {
  std::vector<Mount> mounts;
  for (const std::string_view line : Split(text, '\n')) {
    // 36 35 98:0 /root /mount/point options [optional fields] - type source options
    const std::size_t separator = line.find(" - ");
    if (separator == std::string_view::npos) continue;
    const auto before = Split(line.substr(0, separator), ' ');
    const auto after = Split(line.substr(separator + 3), ' ');
    if (before.size() < 5 || !before[4].starts_with('/') || after.empty()) continue;
    Mount mount;
    mount.path = Unescape(before[4]);
    mount.type = Unescape(after[0]);
    mount.kind = KindOfFileSystem(mount.type);
    const auto same = std::find_if(mounts.begin(), mounts.end(),
                                   [&](const Mount& other) { return other.path == mount.path; });
    if (same != mounts.end()) {
      *same = std::move(mount);
    } else {
      mounts.push_back(std::move(mount));
    }
  }
  return mounts;
}

std::vector<Mount> OwnMounts() {
  constexpr std::size_t kMaxBytes = 16u << 20;  // machines with thousands of containers
  const auto text = ReadFile("/proc/self/mountinfo", kMaxBytes);
  return text ? ParseMountInfo(*text) : std::vector<Mount>();
}

}  // namespace mig::os
