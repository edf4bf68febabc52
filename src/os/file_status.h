// What a module sees of a file that is not ours: its status, and its bytes for reading. Names are
// bytes, relative to an open folder. Nothing but regular files is ever opened. The walk that finds
// them is os/file_walk.h; our own files are os/files.h.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

// Since 1970, UTC. Two numbers, because some file systems store times that 64 bits of nanoseconds
// cannot.
struct FileTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  auto operator<=>(const FileTime&) const = default;
};

// What a file system may let nobody do to a file (chattr(1)), and how it keeps it.
enum class FileFlag : std::uint32_t {
  kImmutable = 1u << 0,
  kAppend = 1u << 1,
  kNoDump = 1u << 2,
  kCompressed = 1u << 3,
  kEncrypted = 1u << 4,
  kVerity = 1u << 5,
};

struct FileStatus {
  FileType type = FileType::kUnknown;
  std::uint32_t mode = 0;  // permission bits with setuid, setgid and sticky
  std::uint64_t size = 0;
  FileTime modified;
  FileTime changed;              // of the status: owner, mode, links too
  FileTime accessed;             // as the mount's options have it kept
  std::optional<FileTime> born;  // empty: this file system does not tell
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::uint64_t inode = 0;
  std::uint64_t links = 0;
  std::uint32_t flags = 0;        // of FileFlag
  std::uint32_t known_flags = 0;  // those that this file system tells of
};

// `folder` as openat(2) takes it. Errors as ErrnoError.
Expected<FileStatus> StatusAt(int folder, const char* name, bool follow);

// What a symbolic link says. Errors as ErrnoError; kInvalid where it is none.
Expected<std::string> LinkTargetAt(int folder, const char* name);

// Extended attributes (xattr(7)), of what a link points to when `follow`. Those that only the
// system's administrator sees (trusted.*) are not seen in the sandbox. A file system that has none
// has an empty list. Errors as ErrnoError.
Expected<std::vector<std::string>> AttributeNamesAt(int folder, const char* name, bool follow);
// Empty: there is no such attribute.
Expected<std::optional<std::string>> AttributeAt(int folder, const char* name, bool follow,
                                                 const std::string& attribute);

// For reading, without waiting. Only a regular file, whatever is swapped in meanwhile: kInvalid
// otherwise. With `follow` the target of a link is looked at before it is opened, because opening
// some devices has effects (/dev/watchdog). Access times change as the mount's options say.
struct OpenFile {
  FileDescriptor fd;
  std::uint64_t size = 0;  // when it was opened
  FileTime changed;        // its last change of content or status, then
};
Expected<OpenFile> OpenRegularFile(int folder, const char* name, bool follow);

// Whether somebody has written to it, cut it or changed its status since it was opened, as far as
// the file system's clock can tell. Error: as ErrnoError.
Expected<bool> HasChanged(const OpenFile& file);

// Up to `size` bytes; 0 at the end. Error: kIo.
Expected<std::size_t> ReadSome(const FileDescriptor& file, char* buffer, std::size_t size);

}  // namespace mig::os
