// One walk over several folders at once, each file seen once, whatever is nested in whatever. It
// follows no link, opens nothing but folders, cannot be led into a circle, and needs memory for the
// depth of the tree and the widest folders on the way, not for the number of files.
// What is looked for, and in which of the folders, is the visitor's business; several visitors
// share the work, each in a thread of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/mounts.h"
#include "util/expected.h"

namespace mig::os {

enum class EntryType { kFile, kLink, kFolder, kSpecial };

// Something in a folder, or a root itself. Valid during the call only.
struct WalkEntry {
  int folder = -1;               // an open descriptor of the folder: use fstatat, openat
  const char* name = nullptr;    // within it; for a root the whole path, and folder is AT_FDCWD
  std::string_view folder_path;  // with the roots' own spelling; "/" ends in a slash
  EntryType type = EntryType::kFile;

  std::string Path() const;
};

// A folder about to be looked into. Valid during the call only.
struct WalkFolder {
  std::string_view path;
  int depth = 0;                       // of the walk; the folder it started with is 1
  std::span<const std::size_t> roots;  // which of the roots this folder is
};

// Another file system that begins at a folder.
struct WalkMount {
  MountKind kind = MountKind::kOrdinary;
  std::string_view type;  // "ext4"; empty where it is not known
};

enum class WalkSkip {
  kLoop,      // it is one of its own parents (a bind mount)
  kVanished,  // it was gone when we came to it, or had been moved
};
std::string_view WalkSkipName(WalkSkip skip);

// What a visitor has to say of a folder that it enters, for all that lies in it. Other visitors get
// to see it, at the same time.
class WalkScope {
 public:
  virtual ~WalkScope() = default;
};
using WalkScopePtr = std::shared_ptr<const WalkScope>;

class WalkVisitor {
 public:
  virtual ~WalkVisitor() = default;

  // `above` is the scope of the folder that it lies in; null where the walk starts. Null: do not
  // look into it.
  virtual WalkScopePtr Enter(const WalkFolder& folder, const WalkScopePtr& above) = 0;
  // After Enter, where the folder begins another file system, before it is touched as far as mounts
  // are known: the scope for what lies there. Null: it is not looked into.
  virtual WalkScopePtr Cross(const WalkFolder& folder, const WalkMount& mount,
                             const WalkScopePtr& scope) = 0;
  // The folder was opened and will be looked through.
  virtual void Entered(const WalkFolder& folder) = 0;
  // False ends the whole walk. `scope` is that of the folder that it lies in, null where the walk
  // starts with it. `roots` is not empty for a root, wherever it was met: one that is a folder, and
  // lies in another that is walked, comes twice, as an entry of that and then as a root.
  virtual bool Visit(const WalkEntry& entry, std::span<const std::size_t> roots,
                     const WalkScope* scope) = 0;
  // Whether folders are visited too, and not only entered. Other file systems than ordinary ones
  // are entered without, because that could wait for a dead server.
  virtual bool WantsFolders() const { return false; }
  // `scope` is that of what was not looked at, as far as it had one: of the folder itself when it
  // was entered, else of the one that it lies in; null where the walk starts.
  virtual void Skipped(WalkSkip why, std::string_view path, const WalkScope* scope) = 0;
  virtual void Failed(std::string_view path, int error_number, const WalkScope* scope) = 0;
};

struct WalkRoot {
  std::string path;  // absolute, without links, dots or doubled slashes (RealPath gives such)
};

// Walks all roots. `mounts` (OwnMounts) tells where other file systems begin before they are
// touched; one that it does not know is recognised after opening it. With one visitor all happens
// in this thread, depth first. With several each is called from one thread, the first from this
// one; where the system gives no more threads the last ones are not called. What a visitor throws
// ends the walk and comes out here.
void WalkFiles(std::span<const WalkRoot> roots, std::span<const Mount> mounts,
               std::span<WalkVisitor* const> visitors);

// What no more visitors may be given to WalkFiles: they share the descriptors of one process.
inline constexpr std::size_t kMostWalkers = 64;

// realpath(3). Error: kNotFound, kDenied, kIo.
Expected<std::string> RealPath(const std::string& path);

}  // namespace mig::os
