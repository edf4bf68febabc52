// A lock that one process holds on a file for as long as it lives: the kernel lets go
// when the process is gone, however it went.
#pragma once

#include <filesystem>

#include "os/files.h"
#include "util/expected.h"

namespace mig::os {

class FileLock {
 public:
  // Makes the file (mode 0600) when it is not there. Does not wait. Error: kExists when somebody
  // else holds it, in this process too; kIo, kDenied.
  static Expected<FileLock> Take(const std::filesystem::path& file);

  // What stands in the file from now on, in place of what stood there: who holds the lock, for
  // those who do not get it. Error: kIo, kFull; the lock is held all the same.
  Expected<void> Write(BytesView text) const;

  // The descriptor that carries the lock: a child that inherits it holds the lock with us.
  int fd() const { return file_.get(); }

 private:
  explicit FileLock(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

// Whether somebody holds the lock. A file that is not there is not locked.
Expected<bool> IsLocked(const std::filesystem::path& file);

}  // namespace mig::os
