// What a module sees of a file that is not ours: its status, and its bytes for reading. Names are
// bytes, relative to an open folder. Nothing but regular files is ever opened. The walk that finds
// them is os/file_walk.h; our own files are os/files.h.
#pragma once

#include <cstdint>
#include <string>

#include "os/files.h"
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
  // Since 1970, UTC. Two numbers, because some file systems store times that 64 bits of
  // nanoseconds cannot.
  std::int64_t modified_seconds = 0;
  std::uint32_t modified_nanoseconds = 0;
};

// `folder` as openat(2) takes it. Errors as ErrnoError.
Expected<FileStatus> StatusAt(int folder, const char* name, bool follow);

// For reading, without waiting. Only a regular file, whatever is swapped in meanwhile: kInvalid
// otherwise. With `follow` the target of a link is looked at before it is opened, because opening
// some devices has effects (/dev/watchdog). Access times change as the mount's options say.
struct OpenFile {
  FileDescriptor fd;
  std::uint64_t size = 0;  // when it was opened
};
Expected<OpenFile> OpenRegularFile(int folder, const char* name, bool follow);

// Up to `size` bytes; 0 at the end. Error: kIo.
Expected<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size);

}  // namespace mig::os
