#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "os/directory.h"

namespace mig::os {
namespace {

FileType TypeOf(mode_t mode) {
  if (S_ISREG(mode)) return FileType::kRegular;
  if (S_ISDIR(mode)) return FileType::kDirectory;
  if (S_ISLNK(mode)) return FileType::kSymlink;
  if (S_ISFIFO(mode)) return FileType::kFifo;
  if (S_ISSOCK(mode)) return FileType::kSocket;
  if (S_ISCHR(mode)) return FileType::kCharDevice;
  if (S_ISBLK(mode)) return FileType::kBlockDevice;
  return FileType::kUnknown;
}

FileType TypeOfEntry(unsigned char type) {
  switch (type) {
    case DT_REG:
      return FileType::kRegular;
    case DT_DIR:
      return FileType::kDirectory;
    case DT_LNK:
      return FileType::kSymlink;
    case DT_FIFO:
      return FileType::kFifo;
    case DT_SOCK:
      return FileType::kSocket;
    case DT_CHR:
      return FileType::kCharDevice;
    case DT_BLK:
      return FileType::kBlockDevice;
    default:
      return FileType::kUnknown;
  }
}

FileStatus FromStat(const struct stat& from) {
  FileStatus status;
  status.type = TypeOf(from.st_mode);
  status.mode = from.st_mode & 07777u;
  status.size = static_cast<std::uint64_t>(from.st_size);
  status.modified_ns = from.st_mtim.tv_sec * 1'000'000'000 + from.st_mtim.tv_nsec;
  status.device = from.st_dev;
  status.inode = from.st_ino;
  return status;
}

Expected<FileStatus> StatusAt(int fd, const std::string& name, bool follow) {
  struct stat found {};
  if (fstatat(fd, name.c_str(), &found, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoError(errno, "stat");
  }
  return FromStat(found);
}

constexpr std::array kPseudo = {
    std::uint32_t{PROC_SUPER_MAGIC},
    std::uint32_t{SYSFS_MAGIC},
    std::uint32_t{CGROUP_SUPER_MAGIC},
    std::uint32_t{CGROUP2_SUPER_MAGIC},
    std::uint32_t{DEBUGFS_MAGIC},
    std::uint32_t{TRACEFS_MAGIC},
    std::uint32_t{DEVPTS_SUPER_MAGIC},
    std::uint32_t{SECURITYFS_MAGIC},
    std::uint32_t{SELINUX_MAGIC},
    std::uint32_t{BPF_FS_MAGIC},
    std::uint32_t{EFIVARFS_MAGIC},
    std::uint32_t{PSTOREFS_MAGIC},
    std::uint32_t{0x62656570},  // configfs
    std::uint32_t{0x0187},      // autofs
    std::uint32_t{NSFS_MAGIC},
};

}  // namespace

struct Directory::Stream {
  DIR* handle = nullptr;
  ~Stream() {
    if (handle != nullptr) closedir(handle);
  }
  int fd() const { return dirfd(handle); }
};

Directory::Directory(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
Directory::Directory(Directory&&) noexcept = default;
Directory& Directory::operator=(Directory&&) noexcept = default;
Directory::~Directory() = default;

namespace {

Expected<DIR*> OpenAt(int fd, const char* name, int extra) {
  FileDescriptor opened(openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | extra));
  if (!opened.valid()) return ErrnoError(errno, "open");
  DIR* handle = fdopendir(opened.get());
  if (handle == nullptr) return ErrnoError(errno, "open");
  opened.Release();
  return handle;
}

}  // namespace

Expected<Directory> Directory::Open(const std::string& path) {
  auto handle = OpenAt(AT_FDCWD, path.c_str(), 0);
  if (!handle) return std::move(handle).error();
  auto stream = std::make_unique<Stream>();
  stream->handle = *handle;
  return Directory(std::move(stream));
}

Expected<Directory> Directory::OpenChild(const std::string& name) const {
  auto handle = OpenAt(stream_->fd(), name.c_str(), O_NOFOLLOW);
  if (!handle) return std::move(handle).error();
  auto stream = std::make_unique<Stream>();
  stream->handle = *handle;
  return Directory(std::move(stream));
}

Expected<bool> Directory::Next(Entry* entry) {
  for (;;) {
    errno = 0;
    const dirent* found = readdir(stream_->handle);
    if (found == nullptr) {
      if (errno != 0) return ErrnoError(errno, "read directory");
      return false;
    }
    const std::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    entry->name = name;
    entry->type = TypeOfEntry(found->d_type);
    return true;
  }
}

Expected<FileStatus> Directory::Status() const {
  struct stat found {};
  if (fstat(stream_->fd(), &found) != 0) return ErrnoError(errno, "stat");
  return FromStat(found);
}

Expected<FileStatus> Directory::StatusOf(const std::string& name, bool follow) const {
  return StatusAt(stream_->fd(), name, follow);
}

Expected<FileDescriptor> Directory::OpenFile(const std::string& name, bool follow) const {
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW);
  // O_NOATIME is for the owner and for root with the capability; others read without it.
  FileDescriptor file(openat(stream_->fd(), name.c_str(), flags | O_NOATIME));
  if (!file.valid() && errno == EPERM) {
    file.Reset(openat(stream_->fd(), name.c_str(), flags));
  }
  if (!file.valid()) return ErrnoError(errno, "open");
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return ErrnoError(errno, "stat");
  if (!S_ISREG(found.st_mode)) return Error(Errc::kInvalid, "open: not a regular file");
  return file;
}

bool Directory::IsPseudo() const {
  struct statfs found {};
  if (fstatfs(stream_->fd(), &found) != 0) return false;
  return std::find(kPseudo.begin(), kPseudo.end(), static_cast<std::uint32_t>(found.f_type)) !=
         kPseudo.end();
}

Expected<FileStatus> StatusOf(const std::string& path, bool follow) {
  return StatusAt(AT_FDCWD, path, follow);
}

Expected<std::string> ResolvePath(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return ErrnoError(errno, "resolve");
  std::string text = resolved;
  std::free(resolved);
  return text;
}

Expected<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t count = read(file.get(), buffer, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return ErrnoError(errno, "read");
  }
}

}  // namespace mig::os
