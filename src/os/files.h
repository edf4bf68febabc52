// Whole files, read with a bound and written so that a crash leaves the old one or the new one.
// For our own configuration, keys and spool; modules that look at other people's files use
// os/file_walk.h and open them themselves.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

// An open descriptor, closed at the end of its life.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~FileDescriptor() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1);

 private:
  int fd_ = -1;
};

// "open /etc/mig/agent.yaml: permission denied": an Error from errno, with the kind that fits
// (kNotFound, kExists, kDenied, kFull for a full disk, else kIo).
Error ErrnoError(int error_number, std::string_view what);

// The whole content. Error: kNotFound, kDenied, kIo; kFull when it is larger than `max_bytes`;
// kInvalid when it is not a regular file (a fifo would block for ever).
Expected<Bytes> ReadFile(const std::filesystem::path& file, std::size_t max_bytes = 16u << 20);

// Puts `content` in place of `file` in one step: a temporary file beside it with exactly `mode`
// (whatever the umask), fsync, rename, fsync of the folder. On error the old file is untouched.
Expected<void> WriteFileAtomically(const std::filesystem::path& file, BytesView content,
                                   unsigned mode);

// As WriteFileAtomically, but refuses when `file` exists (kExists): for secret keys.
Expected<void> WriteNewFile(const std::filesystem::path& file, BytesView content, unsigned mode);

// Makes the folder and those above it, the last with mode 0700. One that exists must be a folder of
// ours that neither group nor others can write to. Error: kInvalid saying which of these fails.
Expected<void> MakePrivateDirectory(const std::filesystem::path& directory);

// A folder as a descriptor (O_PATH), to reach what is in it by a short or a safe path.
Expected<FileDescriptor> OpenFolder(const std::filesystem::path& folder);

// For writing at the end, made with `mode` when it is not there. Error: kDenied, kIo.
Expected<FileDescriptor> OpenForAppending(const std::filesystem::path& file, unsigned mode);

}  // namespace mig::os
