#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/file_status.h"

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

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// Its size.
Expected<std::uint64_t> CheckRegular(const FileDescriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return ErrnoError(errno, "stat");
  if (!S_ISREG(status.st_mode)) return Error(Errc::kInvalid, "open: not a regular file");
  return static_cast<std::uint64_t>(status.st_size);
}

// Through a descriptor that names the file without opening it, so that what is looked at is what is
// opened. Needs /proc; where the sandbox keeps that shut it also limits us to folders, and the file
// is opened by its name.
Expected<FileDescriptor> OpenTarget(int folder, const char* name) {
  const FileDescriptor place(::openat(folder, name, O_PATH | O_CLOEXEC));
  if (!place.valid()) return ErrnoError(errno, "open");
  if (auto regular = CheckRegular(place); !regular) return std::move(regular).error();
  const std::string again = "/proc/self/fd/" + std::to_string(place.get());
  FileDescriptor file(::open(again.c_str(), kReadFlags));
  if (!file.valid()) file.Reset(::openat(folder, name, kReadFlags));
  if (!file.valid()) return ErrnoError(errno, "open");
  return file;
}

}  // namespace

Expected<FileStatus> StatusAt(int folder, const char* name, bool follow) {
  struct stat found {};
  const int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (::fstatat(folder, name, &found, flags) != 0) return ErrnoError(errno, "stat");
  FileStatus status;
  status.type = TypeOf(found.st_mode);
  status.mode = found.st_mode & 07777u;
  status.size = static_cast<std::uint64_t>(found.st_size);
  status.modified_seconds = found.st_mtim.tv_sec;
  status.modified_nanoseconds = static_cast<std::uint32_t>(found.st_mtim.tv_nsec);
  return status;
}

Expected<OpenFile> OpenRegularFile(int folder, const char* name, bool follow) {
  OpenFile file;
  if (follow) {
    auto opened = OpenTarget(folder, name);
    if (!opened) return std::move(opened).error();
    file.fd = std::move(*opened);
  } else {
    file.fd.Reset(::openat(folder, name, kReadFlags | O_NOFOLLOW));
    if (!file.fd.valid()) return ErrnoError(errno, "open");
  }
  auto size = CheckRegular(file.fd);
  if (!size) return std::move(size).error();
  file.size = *size;
  return file;
}

Expected<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return ErrnoError(errno, "read");
  }
}

}  // namespace mig::os
