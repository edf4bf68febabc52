#include "os/mounts.h"

#include <catch2/catch.hpp>

using namespace mig::os;

TEST_CASE("mounts: lines of mountinfo are read, with their escapes", "[os]") {
  // The second and third are the examples of proc_pid_mountinfo(5) and of a systemd machine.
  const auto mounts = ParseMountInfo(
      "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
      "25 22 0:21 / /proc rw shared:12 - proc proc rw\n"
      "40 22 0:33 / /mnt/with\\040space\\134 rw - nfs4 server:/x rw\n"
      "41 22 0:34 / /home/u/.gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw\n"
      "42 25 0:35 / /proc/sys/fs/binfmt_misc rw - autofs systemd-1 rw\n"
      "43 42 0:36 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw\n"
      "nonsense\n"
      "44 22 0:37 / relative rw - ext4 x rw\n"
      "45 22 0:37 / /cut rw - ");
  REQUIRE(mounts.size() == 7);
  CHECK(mounts[0].path == "/");
  CHECK(mounts[0].kind == MountKind::kOrdinary);
  CHECK(mounts[1].path == "/mnt2");
  CHECK(mounts[2].kind == MountKind::kPseudo);
  CHECK(mounts[3].path == "/mnt/with space\\");
  CHECK(mounts[3].kind == MountKind::kRemote);
  CHECK(mounts[4].kind == MountKind::kRemote);
  CHECK(mounts[5].type == "binfmt_misc");  // the last on a path counts
  CHECK(mounts[5].kind == MountKind::kPseudo);
}

TEST_CASE("mounts: a file system is known by name and by number alike", "[os]") {
  CHECK(KindOfFileSystem("tmpfs") == MountKind::kOrdinary);
  CHECK(KindOfFileSystem("overlay") == MountKind::kOrdinary);
  CHECK(KindOfFileSystem("fuseblk") == MountKind::kRemote);
  CHECK(KindOfFileSystemMagic(0x9fa0) == MountKind::kPseudo);
  CHECK(KindOfFileSystemMagic(0xFF534D42) == MountKind::kRemote);
  CHECK(KindOfFileSystemMagic(0xEF53) == MountKind::kOrdinary);  // ext4
}

TEST_CASE("mounts: this process has /proc", "[os]") {
  bool proc = false;
  for (const Mount& mount : OwnMounts()) proc = proc || mount.path == "/proc";
  CHECK(proc);
}
