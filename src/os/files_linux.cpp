#include "os/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "util/encoding.h"

namespace mig::os {
namespace {

namespace fs = std::filesystem;

Expected<void> WriteAll(int fd, BytesView content, const fs::path& name) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, "write " + name.string());
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

fs::path FolderOf(const fs::path& file) {
  return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

// A rename or link is on disk only when its folder is (rename(2) says nothing about crashes).
Expected<void> SyncFolder(const fs::path& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(errno, "open " + folder.string());
  if (::fsync(fd.get()) != 0 && errno != EINVAL) {  // EINVAL: this file system cannot
    return ErrnoError(errno, "fsync " + folder.string());
  }
  return {};
}

// Writes a complete, synced temporary file beside `file` and gives its path.
Expected<fs::path> WriteTemporary(const fs::path& file, BytesView content, unsigned mode) {
  fs::path temporary;
  FileDescriptor fd;
  for (int attempt = 0; !fd.valid(); ++attempt) {
    // The name only has to be free; O_EXCL, not the randomness, is what keeps a planted link out.
    std::array<char, 8> random{};
    if (::getentropy(random.data(), random.size()) != 0) return ErrnoError(errno, "getentropy");
    temporary = file;
    temporary += ".new-" + EncodeHex({random.data(), random.size()});
    fd.Reset(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.valid() && (errno != EEXIST || attempt == 8)) {
      return ErrnoError(errno, "create " + temporary.string());
    }
  }
  auto written = WriteAll(fd.get(), content, temporary);
  if (written && ::fchmod(fd.get(), static_cast<mode_t>(mode)) != 0) {
    written = ErrnoError(errno, "chmod " + temporary.string());
  }
  if (written && ::fsync(fd.get()) != 0) written = ErrnoError(errno, "fsync " + temporary.string());
  if (!written) {
    ::unlink(temporary.c_str());
    return std::move(written).error();
  }
  return temporary;
}

}  // namespace

void FileDescriptor::Reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Error ErrnoError(int error_number, std::string_view what) {
  Errc code = Errc::kIo;
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      code = Errc::kNotFound;
      break;
    case EEXIST:
      code = Errc::kExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = Errc::kDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      code = Errc::kFull;
      break;
    default:
      break;
  }
  std::array<char, 128> buffer{};
  // The GNU variant, which returns the text; strerror() is not safe among threads.
  const char* text = ::strerror_r(error_number, buffer.data(), buffer.size());
  return Error(code, std::string(what) + ": " + text);
}

Expected<Bytes> ReadFile(const fs::path& file, std::size_t max_bytes) {
  const std::string what = "read " + file.string();
  // O_NONBLOCK: opening a fifo must not wait for a writer before we can see that it is one.
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return ErrnoError(errno, what);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return ErrnoError(errno, what);
  if (!S_ISREG(status.st_mode)) return Error(Errc::kInvalid, what + ": not a regular file");
  Bytes content;
  // The size is a hint only: files in /proc say 0, and a log may grow while it is read.
  content.reserve(std::min<std::size_t>(max_bytes, static_cast<std::size_t>(status.st_size)) + 1);
  std::array<char, 16 * 1024> chunk;
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0) {
      if (errno == EINTR) continue;
      return ErrnoError(errno, what);
    }
    if (got == 0) return content;
    if (content.size() + static_cast<std::size_t>(got) > max_bytes) {
      return Error(Errc::kFull, what + ": larger than " + std::to_string(max_bytes) + " bytes");
    }
    content.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Expected<void> WriteFileAtomically(const fs::path& file, BytesView content, unsigned mode) {
  auto temporary = WriteTemporary(file, content, mode);
  if (!temporary) return std::move(temporary).error();
  if (::rename(temporary->c_str(), file.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary->c_str());
    return ErrnoError(error, "replace " + file.string());
  }
  return SyncFolder(FolderOf(file));
}

Expected<void> WriteNewFile(const fs::path& file, BytesView content, unsigned mode) {
  auto temporary = WriteTemporary(file, content, mode);
  if (!temporary) return std::move(temporary).error();
  // link(2), unlike rename(2), fails when the name is taken.
  const int linked = ::link(temporary->c_str(), file.c_str());
  const int error = errno;
  ::unlink(temporary->c_str());
  if (linked != 0) return ErrnoError(error, "create " + file.string());
  return SyncFolder(FolderOf(file));
}

Expected<void> MakePrivateDirectory(const fs::path& directory) {
  const std::string what = "make folder " + directory.string();
  std::error_code failed;
  if (directory.has_parent_path()) {
    fs::create_directories(directory.parent_path(), failed);
    if (failed)
      return ErrnoError(failed.value(), "make folder " + directory.parent_path().string());
  }
  const bool made = ::mkdir(directory.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return ErrnoError(errno, what);
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOTDIR) return Error(Errc::kInvalid, what + ": exists and is not a folder");
    return ErrnoError(errno, what);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return ErrnoError(errno, what);
  if (status.st_uid != ::geteuid()) {
    return Error(Errc::kInvalid, what + ": belongs to user " + std::to_string(status.st_uid) +
                                     ", not to " + std::to_string(::geteuid()));
  }
  if ((status.st_mode & 022u) != 0) {
    return Error(Errc::kInvalid, what + ": group or others can write to it; chmod go-w it first");
  }
  return made ? SyncFolder(FolderOf(directory)) : Expected<void>();
}

Expected<FileDescriptor> OpenFolder(const std::filesystem::path& folder) {
  FileDescriptor fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return ErrnoError(errno, "open " + folder.string());
  return fd;
}

Expected<FileDescriptor> OpenForAppending(const std::filesystem::path& file, unsigned mode) {
  FileDescriptor fd(
      ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) return ErrnoError(errno, "open " + file.string());
  return fd;
}

}  // namespace mig::os
