#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "os/file_lock.h"

namespace mig::os {
namespace {

// The whole file, for writing. Open file description locks: like flock(2) they belong to the
// descriptor, not to the process, and unlike it they can be asked about without being taken.
struct flock WholeFile() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Expected<FileLock> FileLock::Take(const std::filesystem::path& file) {
  FileDescriptor fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return ErrnoError(errno, "open " + file.string());
  struct flock lock = WholeFile();
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) {
      return Error(Errc::kExists, file.string() + " is locked by another process");
    }
    return ErrnoError(errno, "lock " + file.string());
  }
  return FileLock(std::move(fd));
}

Expected<void> FileLock::Write(BytesView text) const {
  if (ftruncate(file_.get(), 0) != 0) return ErrnoError(errno, "write to a lock's file");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written =
        pwrite(file_.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(errno, "write to a lock's file");
    done += static_cast<std::size_t>(written);
  }
  return {};
}

Expected<bool> IsLocked(const std::filesystem::path& file) {
  const FileDescriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoError(errno, "open " + file.string());
  }
  struct flock lock = WholeFile();
  if (fcntl(fd.get(), F_OFD_GETLK, &lock) != 0)
    return ErrnoError(errno, "look at " + file.string());
  return lock.l_type != F_UNLCK;
}

}  // namespace mig::os
