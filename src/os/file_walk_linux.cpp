#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_set>

#include "os/file_walk.h"
#include "os/files.h"
#include "os/thread_group.h"
#include "os/walk_batches.h"
#include "os/walk_places.h"

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
// Folders held open by all workers together. One that comes back to a folder that was closed opens
// it again, through ".." or by its path.
constexpr std::size_t kMostOpenFolders = 512;
constexpr std::size_t kMostOpenByOne = 256;

constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

struct FolderIdHash {
  std::size_t operator()(const FolderId& id) const {
    return std::hash<std::uint64_t>()(id.inode ^ (static_cast<std::uint64_t>(id.device) << 40));
  }
};

// ENOTDIR, ELOOP: something else has taken its place since we read the name.
bool MeansVanished(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

EntryType EntryTypeOf(ItemType type) {
  return type == ItemType::kFile     ? EntryType::kFile
         : type == ItemType::kLink   ? EntryType::kLink
         : type == ItemType::kFolder ? EntryType::kFolder
                                     : EntryType::kSpecial;
}

ItemType ItemTypeOf(unsigned char type) {
  return type == DT_DIR   ? ItemType::kFolder
         : type == DT_REG ? ItemType::kFile
         : type == DT_LNK ? ItemType::kLink
                          : ItemType::kSpecial;
}

bool IsItself(int fd, const FolderId& id) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && FolderId{status.st_dev, status.st_ino} == id;
}

// One thread's part of a walk.
class Walker {
 public:
  Walker(std::size_t index, WalkBatches& batches, WalkVisitor& visitor)
      : index_(index), batches_(batches), visitor_(visitor), buffer_(kEntryBufferBytes) {}

  void StartAt(const std::string& path, PlaceNode& place) {
    place.entered = true;
    Item start;
    start.name = path;
    struct stat status {};
    if (::fstatat(AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
      visitor_.Failed(path, errno, nullptr);
      return;
    }
    BeAt(nullptr, nullptr);
    path_ = path;
    if (S_ISDIR(status.st_mode)) {
      // What the root itself lies on was asked for by name, whatever it is.
      EnterFolder(start, &place);
      return;
    }
    const std::size_t slash = path.find_last_of('/');
    const WalkEntry entry{
        AT_FDCWD, path.c_str(), std::string_view(path).substr(0, std::max<std::size_t>(slash, 1)),
        EntryTypeOf(ItemTypeOf(static_cast<unsigned char>(IFTODT(status.st_mode))))};
    if (!visitor_.Visit(entry, place.roots, nullptr)) batches_.Stop();
  }

  // Everything in the own batches.
  void WorkOff() {
    Item item;
    while (!batches_.stopped() && batches_.TakeOwn(index_, item)) {
      if (!GoTo(item)) continue;
      if (item.type == ItemType::kFolder) {
        EnterItem(item);
      } else {
        VisitName(item.name.c_str(), item.type);
      }
    }
  }

 private:
  // ---- Where this worker is: a folder, with all above it.

  // path_, the ids of all above and the folder itself; mostly by leaving a few folders.
  void BeAt(const FolderPtr& folder, const FolderHandle& handle) {
    while (!above_.empty() && above_.back() != folder.get()) {
      ids_.erase(above_.back()->id);
      above_.pop_back();
    }
    if (folder != nullptr && above_.empty()) Rebuild(*folder);
    here_ = folder;
    handle_ = handle;
    path_.resize(folder == nullptr ? 0 : folder->path_bytes);
  }

  void Rebuild(const EnteredFolder& folder) {
    for (const EnteredFolder* at = &folder; at != nullptr; at = at->parent.get()) {
      above_.push_back(at);
      ids_.insert(at->id);
    }
    std::reverse(above_.begin(), above_.end());
    path_.clear();
    for (const EnteredFolder* at : above_) {
      if (!path_.empty() && !path_.ends_with('/')) path_ += '/';
      path_ += at->name;
    }
  }

  // To the folder of an item, which is opened again if it has to be.
  bool GoTo(Item& item) {
    if (item.handle == nullptr) {
      item.handle = OpenAgain(*item.folder);
      if (item.handle != nullptr) batches_.Reopened(index_, item.folder, item.handle);
    }
    BeAt(item.folder, item.handle);
    if (item.handle != nullptr) return true;
    visitor_.Skipped(WalkSkip::kVanished, PathOf(item.name), item.folder->scope.get());
    return false;
  }

  // The very folder it was, or null. Up from where we are, if that is beneath it; else by its path
  // from where the walk started.
  FolderHandle OpenAgain(const EnteredFolder& folder) {
    if (here_ != nullptr && handle_ != nullptr &&
        std::find(above_.rbegin(), above_.rend(), &folder) != above_.rend()) {
      FileDescriptor at;
      for (int depth = here_->depth; depth > folder.depth; --depth) {
        at.Reset(::openat(at.valid() ? at.get() : handle_->get(), "..", kOpenFolder));
        if (!at.valid()) break;
      }
      if (at.valid() && IsItself(at.get(), folder.id)) {
        return std::make_shared<const FileDescriptor>(std::move(at));
      }
    }
    std::vector<const EnteredFolder*> way;
    for (const EnteredFolder* at = &folder; at != nullptr; at = at->parent.get()) way.push_back(at);
    FileDescriptor at(::open(way.back()->name.c_str(), kOpenFolder));
    way.pop_back();
    for (; at.valid() && !way.empty(); way.pop_back()) {
      at.Reset(::openat(at.get(), way.back()->name.c_str(), kOpenFolder));
    }
    if (!at.valid() || !IsItself(at.get(), folder.id)) return nullptr;
    return std::make_shared<const FileDescriptor>(std::move(at));
  }

  std::string PathOf(std::string_view name) const {
    std::string path = path_;
    if (!path.ends_with('/')) path += '/';
    return path.append(name);
  }

  // ---- Going into a folder.

  void EnterItem(const Item& item) {
    PlaceNode* place = here_->place == nullptr ? nullptr : here_->place->Child(item.name);
    if (!path_.ends_with('/')) path_ += '/';
    path_ += item.name;
    EnterFolder(item, place);
  }

  // The folder `item` here, or a start; path_ is its path already.
  void EnterFolder(const Item& item, PlaceNode* place) {
    if (place != nullptr) place->entered = true;
    const bool is_start = here_ == nullptr;
    if (place != nullptr && !place->roots.empty() && visitor_.WantsFolders()) {
      VisitRoot(item, *place);
      if (batches_.stopped()) return;
    }
    const WalkFolder folder{path_, is_start ? 1 : here_->depth + 1,
                            place == nullptr ? std::span<const std::size_t>() : place->roots};
    WalkScopePtr scope = visitor_.Enter(folder, is_start ? WalkScopePtr() : here_->scope);
    if (scope == nullptr) return;
    // Before opening: that alone could wait for a dead file server, or mount something.
    const bool known_mount = place != nullptr && place->is_mount && !is_start;
    if (known_mount && !MayCross(folder, {place->mount, place->mount_type}, scope)) return;

    FileDescriptor fd(
        ::openat(is_start ? AT_FDCWD : handle_->get(), item.name.c_str(), kOpenFolder));
    struct stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
      const int error = errno;
      if (MeansVanished(error)) {
        visitor_.Skipped(WalkSkip::kVanished, path_, scope.get());
      } else {
        visitor_.Failed(path_, error, scope.get());
      }
      return;
    }
    if (!is_start && status.st_dev != here_->id.device && !known_mount &&
        !MayCrossUnknown(fd.get(), folder, scope)) {
      return;
    }
    auto entered = std::make_shared<EnteredFolder>();
    entered->id = {status.st_dev, status.st_ino};
    // A folder can be its own parent's parent only through a bind mount, which has the same device.
    if (!ids_.insert(entered->id).second) {
      visitor_.Skipped(WalkSkip::kLoop, path_, scope.get());
      return;
    }
    entered->parent = here_;
    entered->name = item.name;
    entered->depth = folder.depth;
    entered->path_bytes = path_.size();
    entered->place = place;
    entered->scope = std::move(scope);
    here_ = std::move(entered);
    above_.push_back(here_.get());
    handle_ = std::make_shared<const FileDescriptor>(std::move(fd));
    visitor_.Entered(folder);
    ReadEntries();
  }

  // A root that is a folder, for its own sake.
  void VisitRoot(const Item& item, const PlaceNode& place) {
    const bool is_start = here_ == nullptr;
    const std::string_view path = path_;
    const std::size_t slash = path.find_last_of('/');
    const WalkEntry entry{is_start ? AT_FDCWD : handle_->get(), item.name.c_str(),
                          path.substr(0, std::max<std::size_t>(slash, 1)), EntryType::kFolder};
    const WalkScope* scope = is_start ? nullptr : here_->scope.get();
    if (!visitor_.Visit(entry, place.roots, scope)) batches_.Stop();
  }

  bool MayCross(const WalkFolder& folder, const WalkMount& mount, WalkScopePtr& scope) {
    scope = visitor_.Cross(folder, mount, scope);
    return scope != nullptr;
  }

  // A file system that the list of mounts did not have: mounted since, or no list was to be had.
  bool MayCrossUnknown(int fd, const WalkFolder& folder, WalkScopePtr& scope) {
    struct statfs status {};
    if (::fstatfs(fd, &status) != 0) return true;
    const auto magic = static_cast<std::uint32_t>(status.f_type);
    return MayCross(folder, {KindOfFileSystemMagic(magic), FileSystemOfMagic(magic)}, scope);
  }

  // ---- What is in a folder.

  // Visits the files here, and leaves the folders as a batch.
  void ReadEntries() {
    Batch folders{here_, handle_, {}};
    for (;;) {
      const long got = ::syscall(SYS_getdents64, handle_->get(), buffer_.data(), buffer_.size());
      if (got <= 0) {
        // ENOENT: removed while we read it; what we have seen of it counts.
        if (got < 0 && errno != ENOENT) visitor_.Failed(path_, errno, here_->scope.get());
        break;
      }
      TakeEntries(std::string_view(buffer_.data(), static_cast<std::size_t>(got)), folders.items);
      if (batches_.stopped()) return;
    }
    batches_.Push(index_, std::move(folders));
  }

  // As soon as somebody has nothing to do, the other files become a batch of their own, of which
  // this worker takes one after the other and those without work half of what is left.
  void TakeEntries(std::string_view entries, std::string& folders) {
    Batch shared;
    while (!entries.empty() && !batches_.stopped()) {
      const auto* entry = reinterpret_cast<const KernelEntry*>(entries.data());
      entries.remove_prefix(entry->length);
      const char* name = entry->name;
      if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))) continue;
      const std::optional<ItemType> type = TypeOf(*entry);
      if (!type) continue;
      if (*type == ItemType::kFolder) {
        AddItem(folders, *type, name);
        if (visitor_.WantsFolders()) VisitFolder(name);
      } else if (shared.folder != nullptr || batches_.SomebodyWaits()) {
        if (shared.folder == nullptr) shared = {here_, handle_, {}};
        AddItem(shared.items, *type, name);
      } else {
        VisitName(name, *type);
      }
    }
    if (shared.folder == nullptr) return;
    batches_.Push(index_, std::move(shared));
    Item item;
    const FolderPtr folder = here_;
    while (!batches_.stopped() && batches_.TakeShared(index_, folder, item)) {
      VisitName(item.name.c_str(), item.type);
    }
  }

  std::optional<ItemType> TypeOf(const KernelEntry& entry) {
    if (entry.type != DT_UNKNOWN) return ItemTypeOf(entry.type);
    struct stat status {};  // some file systems leave it to stat
    if (::fstatat(handle_->get(), entry.name, &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) ==
        0) {
      return ItemTypeOf(static_cast<unsigned char>(IFTODT(status.st_mode)));
    }
    visitor_.Skipped(WalkSkip::kVanished, PathOf(entry.name), here_->scope.get());
    return std::nullopt;
  }

  // As an entry of this one, for those who look at folders themselves.
  void VisitFolder(const char* name) {
    const PlaceNode* place = here_->place == nullptr ? nullptr : here_->place->Child(name);
    if (place != nullptr && place->is_mount && place->mount != MountKind::kOrdinary) return;
    const WalkEntry found{handle_->get(), name, path_, EntryType::kFolder};
    if (!visitor_.Visit(found, {}, here_->scope.get())) batches_.Stop();
  }

  void VisitName(const char* name, ItemType type) {
    const WalkEntry found{handle_->get(), name, path_, EntryTypeOf(type)};
    // A root that is met on the way as a file is no news: its folder's searches see it here, and
    // its own must too.
    std::span<const std::size_t> roots;
    if (here_->place != nullptr) {
      if (PlaceNode* place = here_->place->Child(name)) {
        place->entered = place->entered || !place->roots.empty();
        roots = place->roots;
      }
    }
    if (!visitor_.Visit(found, roots, here_->scope.get())) batches_.Stop();
  }

  const std::size_t index_;
  WalkBatches& batches_;
  WalkVisitor& visitor_;
  std::vector<char> buffer_;

  FolderPtr here_;
  FolderHandle handle_;
  std::string path_;                                // of here_, or of what is about to be entered
  std::vector<const EnteredFolder*> above_;         // here_ and all above it, the start first
  std::unordered_set<FolderId, FolderIdHash> ids_;  // of above_
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
    case WalkSkip::kLoop:
      return "loop of mounts";
    case WalkSkip::kVanished:
      return "vanished";
  }
  return "";
}

void WalkFiles(std::span<const WalkRoot> roots, std::span<const Mount> mounts,
               std::span<WalkVisitor* const> visitors) {
  assert(!visitors.empty() && visitors.size() <= kMostWalkers);
  Places places;
  for (const Mount& mount : mounts) {
    PlaceNode& place = places.At(mount.path);
    place.is_mount = true;
    place.mount = mount.kind;
    place.mount_type = mount.type;
  }
  for (std::size_t i = 0; i < roots.size(); ++i) places.At(roots[i].path).roots.push_back(i);

  // A root beneath another is met on the way, unless the way ended before: so each round walks the
  // roots beneath so many others, and all of a round can be walked at once.
  std::vector<std::vector<std::size_t>> rounds;
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const std::size_t round = places.RootsAbove(roots[i].path);
    if (rounds.size() <= round) rounds.resize(round + 1);
    rounds[round].push_back(i);
  }
  bool stopped = false;
  for (const std::vector<std::size_t>& round : rounds) {
    std::vector<std::size_t> starts;
    for (const std::size_t root : round) {
      PlaceNode& place = places.At(roots[root].path);
      // Several roots may be the same folder.
      if (!place.entered && place.roots.front() == root) starts.push_back(root);
    }
    if (stopped || starts.empty()) continue;
    WalkBatches batches(visitors.size(),
                        std::min(kMostOpenByOne, kMostOpenFolders / visitors.size()));
    std::atomic<std::size_t> next{0};
    RunThreads(visitors.size(), [&](std::size_t index) {
      try {
        batches.Join();
        Walker walker(index, batches, *visitors[index]);
        for (;;) {
          const std::size_t start = next.fetch_add(1);
          if (start >= starts.size() || batches.stopped()) break;
          const std::string& path = roots[starts[start]].path;
          walker.StartAt(path, places.At(path));
          walker.WorkOff();
        }
        while (batches.Steal(index)) walker.WorkOff();
      } catch (...) {
        batches.Stop();
        throw;
      }
    });
    stopped = batches.stopped();
  }
}

Expected<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  if (real == nullptr) return ErrnoError(errno, "open");
  return std::string(real.get());
}

}  // namespace mig::os
