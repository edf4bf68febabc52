// Directories and the files in them, by descriptors: what a module that looks at other people's
// files walks with. Names are bytes. Nothing here follows a symbolic link unless asked to, and
// nothing but regular files is ever opened for reading.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "os/files.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

enum class FileType {
  kRegular,
  kDirectory,
  kSymlink,
  kFifo,
  kSocket,
  kCharDevice,
  kBlockDevice,
  kUnknown
};

struct FileStatus {
  FileType type = FileType::kUnknown;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid and sticky
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  // since 1970, UTC
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

class Directory {
 public:
  // Follows symbolic links. Errors as ErrnoError; kInvalid when it is not a directory.
  static Expected<Directory> Open(const std::string& path);
  // A child that is a directory itself, not a link to one.
  Expected<Directory> OpenChild(const std::string& name) const;

  Directory(Directory&&) noexcept;
  Directory& operator=(Directory&&) noexcept;
  ~Directory();

  struct Entry {
    std::string name;
    FileType type = FileType::kUnknown;  // kUnknown where the file system does not tell
  };
  // The next entry in the order on disk, without "." and ".."; false at the end.
  // Error: kIo; the rest of the directory is not to be had.
  Expected<bool> Next(Entry* entry);

  Expected<FileStatus> Status() const;
  Expected<FileStatus> StatusOf(const std::string& name, bool follow) const;
  // For reading; only a regular file (checked after opening, so nothing can be swapped in), without
  // waiting and without touching its access time where that is allowed. Error: kInvalid otherwise.
  Expected<FileDescriptor> OpenFile(const std::string& name, bool follow) const;

  // proc, sysfs, cgroup and the like: no files on any disk, and some are without end.
  bool IsPseudo() const;

 private:
  struct Stream;
  explicit Directory(std::unique_ptr<Stream> stream);
  std::unique_ptr<Stream> stream_;
};

// As Directory's, by path.
Expected<FileStatus> StatusOf(const std::string& path, bool follow);
// Where a path leads once all links are followed.
Expected<std::string> ResolvePath(const std::string& path);

// Up to `size` bytes; 0 at the end. Error: kIo.
Expected<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size);

}  // namespace mig::os
