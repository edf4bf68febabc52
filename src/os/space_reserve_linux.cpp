#include "os/space_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/files.h"

namespace mig::os {

Expected<void> SpaceReserve::Take() {
  if (held_) return {};
  const FileDescriptor fd(
      ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!fd.valid()) return ErrnoError(errno, "open " + file_.string());
  int error = 0;
  do {
    error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes_));
  } while (error == EINTR);
  if (error != 0) {
    // Half a reserve would keep others from the last space without being enough itself.
    ::unlink(file_.c_str());
    return ErrnoError(error, "reserve " + std::to_string(bytes_) + " bytes in " + file_.string());
  }
  held_ = true;
  return {};
}

Expected<void> SpaceReserve::Release() {
  held_ = false;
  if (::unlink(file_.c_str()) != 0 && errno != ENOENT) {
    return ErrnoError(errno, "remove " + file_.string());
  }
  return {};
}

}  // namespace mig::os
