#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <unordered_set>

#include "os/file_walk.h"
#include "os/files.h"

namespace mig::os {
namespace {

// What getdents64(2) writes; libc's readdir would copy each entry once more.
struct KernelEntry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
  char name[1];
};

constexpr std::size_t kEntryBufferBytes = 128 * 1024;
// Folders held open on the way down. Deeper ones close the upper, and come back through "..".
constexpr std::size_t kMaxOpenFolders = 256;

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

// Roots and mount points by components of their paths, so that a walk knows them when it comes by.
struct PlaceNode {
  std::map<std::string, std::unique_ptr<PlaceNode>, std::less<>> children;
  std::vector<std::size_t> roots;
  MountKind mount = MountKind::kOrdinary;
  bool is_mount = false;
  bool entered = false;  // the walk was there

  PlaceNode* Child(std::string_view name) const {
    const auto found = children.find(name);
    return found == children.end() ? nullptr : found->second.get();
  }
};

class Places {
 public:
  PlaceNode& At(std::string_view path) {
    PlaceNode* node = &top_;
    while (!path.empty()) {
      const std::size_t start = path.find_first_not_of('/');
      if (start == std::string_view::npos) break;
      path.remove_prefix(start);
      const std::size_t end = std::min(path.find('/'), path.size());
      auto& child = node->children[std::string(path.substr(0, end))];
      if (child == nullptr) child = std::make_unique<PlaceNode>();
      node = child.get();
      path.remove_prefix(end);
    }
    return *node;
  }

 private:
  PlaceNode top_;
};

struct FolderId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FolderId&) const = default;
};

struct FolderIdHash {
  std::size_t operator()(const FolderId& id) const {
    return std::hash<std::uint64_t>()(id.inode ^ (static_cast<std::uint64_t>(id.device) << 40));
  }
};

struct Frame {
  FileDescriptor fd;
  FolderId id;
  std::size_t path_bytes = 0;   // length of this folder's path in path_
  PlaceNode* place = nullptr;   // null: no root or mount point here or beneath
  std::string folders;          // names of folders in it still to visit, each ended by NUL
  std::size_t next_folder = 0;  // offset into `folders`
};

class Walk {
 public:
  Walk(std::span<const WalkRoot> roots, std::span<const Mount> mounts, WalkVisitor& visitor)
      : roots_(roots), visitor_(visitor), buffer_(kEntryBufferBytes) {
    for (const Mount& mount : mounts) {
      PlaceNode& place = places_.At(mount.path);
      place.is_mount = true;
      place.mount = mount.kind;
    }
    for (std::size_t i = 0; i < roots.size(); ++i) places_.At(roots[i].path).roots.push_back(i);
  }

  void Run() {
    // Upper folders first: a root beneath another is met on the way, unless the way ended before.
    std::vector<std::size_t> order(roots_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return roots_[a].path.size() < roots_[b].path.size();
    });
    for (const std::size_t index : order) {
      PlaceNode& place = places_.At(roots_[index].path);
      if (place.entered || stopped_) continue;
      place.entered = true;
      StartAt(roots_[index].path, place);
    }
  }

 private:
  void StartAt(const std::string& path, PlaceNode& place) {
    struct stat status {};
    if (::fstatat(AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
      visitor_.Failed(path, errno);
      return;
    }
    path_ = path;
    if (!S_ISDIR(status.st_mode)) {
      const EntryType type = S_ISREG(status.st_mode)   ? EntryType::kFile
                             : S_ISLNK(status.st_mode) ? EntryType::kLink
                                                       : EntryType::kSpecial;
      const std::size_t slash = path.find_last_of('/');
      const WalkEntry entry{AT_FDCWD, path.c_str(),
                            std::string_view(path).substr(0, std::max<std::size_t>(slash, 1)),
                            type};
      stopped_ = !visitor_.Visit(entry, place.roots);
      return;
    }
    // What the root itself lies on was asked for by name, whatever it is.
    if (!EnterFolder(AT_FDCWD, path.c_str(), &place, /*is_start=*/true)) return;
    while (!frames_.empty()) {
      if (stopped_ || !NextFolder()) LeaveFolder();
    }
  }

  WalkFolder Here(const PlaceNode* place) const {
    return {path_, static_cast<int>(frames_.size()) + 1,
            place == nullptr ? std::span<const std::size_t>() : place->roots};
  }

  // Opens and reads the folder `name` within `parent`; path_ is its path already. False: nothing
  // was entered, or it was left again.
  bool EnterFolder(int parent, const char* name, PlaceNode* place, bool is_start) {
    if (place != nullptr) place->entered = true;
    const WalkFolder folder = Here(place);
    if (!visitor_.Enter(folder)) return false;
    if (OpenFolder(parent, name, place, folder, is_start)) return true;
    visitor_.Leave();
    return false;
  }

  bool OpenFolder(int parent, const char* name, PlaceNode* place, const WalkFolder& folder,
                  bool is_start) {
    // Before opening: that alone could wait for a dead file server, or mount something.
    const bool known_mount = place != nullptr && place->is_mount && !is_start;
    if (known_mount && !MayCross(folder, place->mount)) return false;

    Frame frame;
    frame.fd.Reset(::openat(parent, name, kOpenFolder));
    struct stat status {};
    if (!frame.fd.valid() || ::fstat(frame.fd.get(), &status) != 0) {
      // ENOTDIR, ELOOP: something else has taken its place since we read the name.
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
        visitor_.Skipped(WalkSkip::kVanished, path_);
      } else {
        visitor_.Failed(path_, errno);
      }
      return false;
    }
    if (!frames_.empty() && status.st_dev != frames_.back().id.device && !known_mount &&
        !MayCrossUnknown(frame.fd.get(), folder)) {
      return false;
    }
    // A folder can be its own parent's parent only through a bind mount, which has the same device.
    frame.id = {status.st_dev, status.st_ino};
    if (!open_folders_.insert(frame.id).second) {
      visitor_.Skipped(WalkSkip::kLoop, path_);
      return false;
    }
    frame.path_bytes = path_.size();
    frame.place = place;
    frames_.push_back(std::move(frame));
    if (frames_.size() > kMaxOpenFolders) frames_[frames_.size() - 1 - kMaxOpenFolders].fd.Reset();
    if (ReadEntries()) return true;
    open_folders_.erase(frames_.back().id);
    frames_.pop_back();
    return false;
  }

  bool MayCross(const WalkFolder& folder, MountKind kind) {
    if (kind == MountKind::kOrdinary) return true;
    if (visitor_.Cross(folder, kind)) return true;
    visitor_.Skipped(kind == MountKind::kPseudo   ? WalkSkip::kPseudoMount
                     : kind == MountKind::kRemote ? WalkSkip::kRemoteMount
                                                  : WalkSkip::kAutomount,
                     path_);
    return false;
  }

  // A file system that the list of mounts did not have: mounted since, or no list was to be had.
  bool MayCrossUnknown(int fd, const WalkFolder& folder) {
    struct statfs status {};
    if (::fstatfs(fd, &status) != 0) return true;
    return MayCross(folder, KindOfFileSystemMagic(static_cast<std::uint32_t>(status.f_type)));
  }

  // Visits what is in the newest folder, and remembers the folders in it.
  bool ReadEntries() {
    const int fd = frames_.back().fd.get();
    for (;;) {
      const long got = ::syscall(SYS_getdents64, fd, buffer_.data(), buffer_.size());
      if (got == 0) return true;
      if (got < 0) {
        // ENOENT: removed while we read it; what we have seen of it counts.
        if (errno == ENOENT) return true;
        visitor_.Failed(path_, errno);
        return false;
      }
      for (long at = 0; at < got;) {
        const auto* entry = reinterpret_cast<const KernelEntry*>(buffer_.data() + at);
        at += entry->length;
        VisitEntry(fd, *entry);
        if (stopped_) return true;
      }
    }
  }

  void VisitEntry(int fd, const KernelEntry& entry) {
    const char* name = entry.name;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) return;
    unsigned char type = entry.type;
    if (type == DT_UNKNOWN) {  // some file systems leave it to stat
      struct stat status {};
      if (::fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
        visitor_.Skipped(WalkSkip::kVanished, PathOf(name));
        return;
      }
      type = IFTODT(status.st_mode);
    }
    Frame& frame = frames_.back();
    if (type == DT_DIR) {
      frame.folders.append(name, std::strlen(name) + 1);
      return;
    }
    const WalkEntry found{fd, name, path_,
                          type == DT_REG   ? EntryType::kFile
                          : type == DT_LNK ? EntryType::kLink
                                           : EntryType::kSpecial};
    // A root that is met on the way as a file is no news: its folder's searches see it here, and
    // its own must too.
    std::span<const std::size_t> roots;
    if (frame.place != nullptr) {
      if (PlaceNode* place = frame.place->Child(name)) {
        place->entered = place->entered || !place->roots.empty();
        roots = place->roots;
      }
    }
    stopped_ = !visitor_.Visit(found, roots);
  }

  // Goes into the next folder beneath the newest frame. False when there is none left.
  bool NextFolder() {
    Frame& frame = frames_.back();
    if (frame.next_folder >= frame.folders.size()) return false;
    const char* name = frame.folders.c_str() + frame.next_folder;
    const std::size_t length = std::strlen(name);
    frame.next_folder += length + 1;
    PlaceNode* place =
        frame.place == nullptr ? nullptr : frame.place->Child(std::string_view(name, length));
    path_.resize(frame.path_bytes);
    if (!path_.ends_with('/')) path_ += '/';
    path_.append(name, length);
    EnterFolder(frame.fd.get(), name, place, /*is_start=*/false);
    return true;
  }

  void LeaveFolder() {
    Frame left = std::move(frames_.back());
    frames_.pop_back();
    open_folders_.erase(left.id);
    visitor_.Leave();
    if (frames_.empty() || frames_.back().fd.valid()) return;
    // This one was closed for its depth: back up through the child, if it is still there.
    Frame& frame = frames_.back();
    path_.resize(frame.path_bytes);
    struct stat status {};
    FileDescriptor again(::openat(left.fd.get(), "..", kOpenFolder));
    if (again.valid() && ::fstat(again.get(), &status) == 0 &&
        FolderId{status.st_dev, status.st_ino} == frame.id) {
      frame.fd = std::move(again);
      return;
    }
    if (frame.next_folder < frame.folders.size()) visitor_.Skipped(WalkSkip::kVanished, path_);
    frame.next_folder = frame.folders.size();
    // Its own parent must be found again as well, from where we are no more: so nothing above
    // that was closed can be continued.
    if (!again.valid()) return;
    frame.fd = std::move(again);
  }

  std::string PathOf(const char* name) const {
    std::string path = path_;
    if (!path.ends_with('/')) path += '/';
    return path + name;
  }

  std::span<const WalkRoot> roots_;
  WalkVisitor& visitor_;
  Places places_;
  std::vector<char> buffer_;
  std::vector<Frame> frames_;
  std::unordered_set<FolderId, FolderIdHash> open_folders_;  // those of frames_
  std::string path_;
  bool stopped_ = false;
};

}  // namespace

std::string WalkEntry::Path() const {
  if (folder < 0 && name[0] == '/') return name;
  std::string path(folder_path);
  if (!path.ends_with('/')) path += '/';
  return path + name;
}

std::string_view WalkSkipName(WalkSkip skip) {
  switch (skip) {
    case WalkSkip::kPseudoMount:
      return "pseudo file system";
    case WalkSkip::kRemoteMount:
      return "remote file system";
    case WalkSkip::kAutomount:
      return "automount point";
    case WalkSkip::kLoop:
      return "loop of mounts";
    case WalkSkip::kVanished:
      return "vanished";
  }
  return "";
}

void WalkFiles(std::span<const WalkRoot> roots, std::span<const Mount> mounts,
               WalkVisitor& visitor) {
  Walk(roots, mounts, visitor).Run();
}

Expected<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  if (real == nullptr) return ErrnoError(errno, "open");
  return std::string(real.get());
}

}  // namespace mig::os
