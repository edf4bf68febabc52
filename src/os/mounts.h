// Which file systems are mounted where, and which of them a search of files has no business in.
// The parser and the tables are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mig::os {

enum class MountKind {
  kOrdinary,   // files somebody put there
  kPseudo,     // the kernel's own (proc, sysfs, …): not files, and reading some of them waits
  kRemote,     // another machine's, or a process's (FUSE): can be slow, hang, or be shared by all
  kAutomount,  // looking into it mounts something
};
std::string_view MountKindName(MountKind kind);  // "ordinary", "pseudo", "remote", "automount"

struct Mount {
  std::string path;  // as the kernel sees it: no links in it
  std::string type;  // "ext4"
  MountKind kind = MountKind::kOrdinary;
};

// proc_pid_mountinfo(5). Lines that are not understood are left out; of several mounts on one path
// the last counts.
std::vector<Mount> ParseMountInfo(std::string_view text);

MountKind KindOfFileSystem(std::string_view type);     // by mountinfo's name
MountKind KindOfFileSystemMagic(std::uint64_t magic);  // by statfs(2)'s number

// The name for statfs(2)'s number; empty for one that is not in the table.
std::string_view FileSystemOfMagic(std::uint64_t magic);

// The mounts of this process; empty when /proc cannot be read (a sandbox limited to folders).
std::vector<Mount> OwnMounts();

}  // namespace mig::os
