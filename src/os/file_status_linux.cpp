#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

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

FileTime TimeOf(const struct statx_timestamp& time) { return {time.tv_sec, time.tv_nsec}; }

std::uint32_t FlagsOf(std::uint64_t attributes) {
  constexpr std::pair<std::uint64_t, FileFlag> kFlags[] = {
      {STATX_ATTR_IMMUTABLE, FileFlag::kImmutable}, {STATX_ATTR_APPEND, FileFlag::kAppend},
      {STATX_ATTR_NODUMP, FileFlag::kNoDump},       {STATX_ATTR_COMPRESSED, FileFlag::kCompressed},
      {STATX_ATTR_ENCRYPTED, FileFlag::kEncrypted}, {STATX_ATTR_VERITY, FileFlag::kVerity},
  };
  std::uint32_t flags = 0;
  for (const auto& [attribute, flag] : kFlags) {
    if ((attributes & attribute) != 0) flags |= static_cast<std::uint32_t>(flag);
  }
  return flags;
}

// The calls for extended attributes take paths only (until Linux 6.13). By way of the descriptor
// the folder is the one that was walked, whatever its path has become; a name that is swapped for
// another within it is read without being opened.
std::string PathThrough(int folder, const char* name) {
  if (folder == AT_FDCWD) return name;
  return "/proc/self/fd/" + std::to_string(folder) + "/" + name;
}

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

// Its size.
struct Version {
  std::uint64_t size = 0;
  FileTime changed;
};

Expected<Version> CheckRegular(const FileDescriptor& file) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return ErrnoError(errno, "stat");
  if (!S_ISREG(status.st_mode)) return Error(Errc::kInvalid, "open: not a regular file");
  return Version{static_cast<std::uint64_t>(status.st_size),
                 {status.st_ctim.tv_sec, static_cast<std::uint32_t>(status.st_ctim.tv_nsec)}};
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
  struct statx found {};
  const int flags = AT_NO_AUTOMOUNT | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (::statx(folder, name, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) {
    return ErrnoError(errno, "stat");
  }
  FileStatus status;
  status.type = TypeOf(found.stx_mode);
  status.mode = found.stx_mode & 07777u;
  status.size = found.stx_size;
  status.modified = TimeOf(found.stx_mtime);
  status.changed = TimeOf(found.stx_ctime);
  status.accessed = TimeOf(found.stx_atime);
  if ((found.stx_mask & STATX_BTIME) != 0) status.born = TimeOf(found.stx_btime);
  status.owner = found.stx_uid;
  status.group = found.stx_gid;
  status.inode = found.stx_ino;
  status.links = found.stx_nlink;
  status.flags = FlagsOf(found.stx_attributes);
  status.known_flags = FlagsOf(found.stx_attributes_mask);
  return status;
}

Expected<std::string> LinkTargetAt(int folder, const char* name) {
  std::string target(PATH_MAX, '\0');  // the kernel's own limit for a link
  const ssize_t length = ::readlinkat(folder, name, target.data(), target.size());
  if (length < 0) return ErrnoError(errno, "read the link");
  target.resize(static_cast<std::size_t>(length));
  return target;
}

Expected<std::vector<std::string>> AttributeNamesAt(int folder, const char* name, bool follow) {
  const std::string path = PathThrough(folder, name);
  std::vector<char> list(XATTR_LIST_MAX);
  const ssize_t length = follow ? ::listxattr(path.c_str(), list.data(), list.size())
                                : ::llistxattr(path.c_str(), list.data(), list.size());
  if (length < 0 && errno != ENOTSUP) return ErrnoError(errno, "list the extended attributes");
  std::vector<std::string> names;
  for (const char* at = list.data(); at < list.data() + std::max<ssize_t>(length, 0);) {
    names.emplace_back(at);  // each ends with NUL, the last one too
    at += names.back().size() + 1;
  }
  return names;
}

Expected<std::optional<std::string>> AttributeAt(int folder, const char* name, bool follow,
                                                 const std::string& attribute) {
  const std::string path = PathThrough(folder, name);
  std::string value(XATTR_SIZE_MAX, '\0');
  const ssize_t length =
      follow ? ::getxattr(path.c_str(), attribute.c_str(), value.data(), value.size())
             : ::lgetxattr(path.c_str(), attribute.c_str(), value.data(), value.size());
  if (length < 0) {
    if (errno == ENODATA || errno == ENOTSUP) return std::optional<std::string>();
    return ErrnoError(errno, "read the extended attribute " + attribute);
  }
  value.resize(static_cast<std::size_t>(length));
  return std::optional<std::string>(std::move(value));
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
  auto version = CheckRegular(file.fd);
  if (!version) return std::move(version).error();
  file.size = version->size;
  file.changed = version->changed;
  return file;
}

Expected<bool> HasChanged(const OpenFile& file) {
  auto now = CheckRegular(file.fd);
  if (!now) return std::move(now).error();
  return now->size != file.size || now->changed != file.changed;
}

Expected<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size) {
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer, size);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return ErrnoError(errno, "read");
  }
}

}  // namespace mig::os
