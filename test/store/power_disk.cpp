#include "test/store/power_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace mig::store {
namespace {

constexpr std::size_t kSector = 512;

// A change to a file that was not synced. Without bytes: a truncation to `offset`.
struct Change {
  std::size_t offset = 0;
  std::optional<std::string> bytes;
};

struct Node {
  std::string durable;
  std::vector<Change> pending;

  void Apply(std::string& content, const Change& change) const {
    if (!change.bytes) {
      content.resize(change.offset, '\0');
      return;
    }
    if (content.size() < change.offset + change.bytes->size()) {
      content.resize(change.offset + change.bytes->size(), '\0');
    }
    content.replace(change.offset, change.bytes->size(), *change.bytes);
  }
  void Sync() {
    for (const Change& change : pending) Apply(durable, change);
    pending.clear();
  }
};
using NodeRef = std::shared_ptr<Node>;

// What a name stands for: on disk, and since then in turn. Null: nothing.
struct Name {
  NodeRef durable;
  std::vector<NodeRef> since;

  NodeRef now() const { return since.empty() ? durable : since.back(); }
};

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool IsMemoryOnly(const std::string& name) { return name.ends_with("-shm"); }

}  // namespace

struct PowerDisk::State {
  PowerDisk* disk = nullptr;
  std::filesystem::path folder;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  sqlite3_syscall_ptr real_open_directory = nullptr;
  mutable std::mutex mutex;
  std::map<std::string, Name> names;  // under mutex

  void BeforeChange() const {
    if (disk->before_change) disk->before_change();
  }
  void SyncFolder() {
    const std::lock_guard lock(mutex);
    for (auto& [name, entry] : names) {
      entry.durable = entry.now();
      entry.since.clear();
    }
  }
};

namespace {

PowerDisk::State* current = nullptr;
// Set by the VFS below us when it opens the folder, which it does to sync it.
thread_local bool folder_was_opened = false;

int OpenDirectory(const char* file, int* fd) {
  folder_was_opened = true;
  using Function = int (*)(const char*, int*);
  return reinterpret_cast<Function>(current->real_open_directory)(file, fd);
}

// An open file: ours first, the real one behind it in the same memory.
struct PowerFile {
  sqlite3_file base{};
  PowerDisk::State* state = nullptr;
  NodeRef node;  // null: not of our folder
  bool synced = false;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

PowerFile& Of(sqlite3_file* file) { return *reinterpret_cast<PowerFile*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Of(file).real(); }
const sqlite3_io_methods& RealMethods(sqlite3_file* file) { return *Real(file)->pMethods; }

int Close(sqlite3_file* file) {
  const int code = RealMethods(file).xClose(Real(file));
  Of(file).~PowerFile();
  return code;
}

int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  PowerFile& of = Of(file);
  if (of.node) {
    of.state->BeforeChange();
    sqlite3_int64 length = 0;
    RealMethods(file).xFileSize(Real(file), &length);
    const auto& is_full = of.state->disk->is_full;
    if (is_full && offset + size > length && is_full()) return SQLITE_FULL;
  }
  const int code = RealMethods(file).xWrite(Real(file), data, size, offset);
  if (of.node && code == SQLITE_OK) {
    const std::lock_guard lock(of.state->mutex);
    of.node->pending.push_back(
        {static_cast<std::size_t>(offset),
         std::string(static_cast<const char*>(data), static_cast<std::size_t>(size))});
  }
  return code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  PowerFile& of = Of(file);
  if (of.node) of.state->BeforeChange();
  const int code = RealMethods(file).xTruncate(Real(file), size);
  if (of.node && code == SQLITE_OK) {
    const std::lock_guard lock(of.state->mutex);
    of.node->pending.push_back({static_cast<std::size_t>(size), std::nullopt});
  }
  return code;
}

int Sync(sqlite3_file* file, int flags) {
  PowerFile& of = Of(file);
  if (!of.node) return RealMethods(file).xSync(Real(file), flags);
  of.state->BeforeChange();
  if (of.state->disk->lies) return SQLITE_OK;
  // The real sync would only cost time, except for the first of a file, which shows whether the
  // folder is synced with it.
  folder_was_opened = false;
  if (!of.synced) {
    if (const int code = RealMethods(file).xSync(Real(file), flags); code != SQLITE_OK) return code;
    of.synced = true;
  }
  {
    const std::lock_guard lock(of.state->mutex);
    of.node->Sync();
  }
  if (folder_was_opened) of.state->SyncFolder();
  return SQLITE_OK;
}

int Read(sqlite3_file* f, void* data, int size, sqlite3_int64 offset) {
  return RealMethods(f).xRead(Real(f), data, size, offset);
}
int FileSize(sqlite3_file* f, sqlite3_int64* size) {
  return RealMethods(f).xFileSize(Real(f), size);
}
int Lock(sqlite3_file* f, int level) { return RealMethods(f).xLock(Real(f), level); }
int Unlock(sqlite3_file* f, int level) { return RealMethods(f).xUnlock(Real(f), level); }
int CheckReserved(sqlite3_file* f, int* out) {
  return RealMethods(f).xCheckReservedLock(Real(f), out);
}
int FileControl(sqlite3_file* f, int operation, void* argument) {
  return RealMethods(f).xFileControl(Real(f), operation, argument);
}
int SectorSize(sqlite3_file* f) { return RealMethods(f).xSectorSize(Real(f)); }
int Characteristics(sqlite3_file* f) { return RealMethods(f).xDeviceCharacteristics(Real(f)); }
int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return RealMethods(f).xShmMap(Real(f), page, size, extend, out);
}
int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
  return RealMethods(f).xShmLock(Real(f), offset, n, flags);
}
void ShmBarrier(sqlite3_file* f) { RealMethods(f).xShmBarrier(Real(f)); }
int ShmUnmap(sqlite3_file* f, int remove) { return RealMethods(f).xShmUnmap(Real(f), remove); }

// Version 2: without memory-mapped reading, which would go past us.
constexpr sqlite3_io_methods kMethods{
    2,        Close,         Read,        Write,      Truncate,        Sync,   FileSize, Lock,
    Unlock,   CheckReserved, FileControl, SectorSize, Characteristics, ShmMap, ShmLock,  ShmBarrier,
    ShmUnmap, nullptr,       nullptr};

PowerDisk::State& StateOf(sqlite3_vfs* vfs) {
  return *static_cast<PowerDisk::State*>(vfs->pAppData);
}

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  PowerDisk::State& state = StateOf(vfs);
  auto* of = new (file) PowerFile;
  const int code = state.real->xOpen(state.real, path, of->real(), flags, out_flags);
  if (code != SQLITE_OK) {
    of->~PowerFile();
    file->pMethods = nullptr;
    return code;
  }
  of->base.pMethods = &kMethods;
  of->state = &state;
  const std::filesystem::path name = path == nullptr ? "" : path;
  if (name.parent_path() == state.folder && !IsMemoryOnly(name.string())) {
    const std::lock_guard lock(state.mutex);
    Name& entry = state.names[name.filename().string()];
    // Not there before: SQLite has just made it, or our own code did, to give it its mode.
    if (!entry.now()) entry.since.push_back(std::make_shared<Node>());
    of->node = entry.now();
  }
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  PowerDisk::State& state = StateOf(vfs);
  const std::filesystem::path name = path;
  const bool ours = name.parent_path() == state.folder && !IsMemoryOnly(name.string());
  if (ours) state.BeforeChange();
  folder_was_opened = false;
  const int code = state.real->xDelete(state.real, path, sync_folder);
  if (ours && code == SQLITE_OK) {
    {
      const std::lock_guard lock(state.mutex);
      state.names[name.filename().string()].since.push_back(nullptr);
    }
    if (folder_was_opened && !state.disk->lies) state.SyncFolder();
  }
  return code;
}

// What may stand on the disk of a file: its durable bytes and some of what came after.
std::string Survivor(const Node& node, double kept, std::mt19937& random) {
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  const char filler = chance(random) < 0.5 ? '\0' : static_cast<char>(random());
  std::string content = node.durable;
  for (const Change& change : node.pending) {
    if (!change.bytes) {
      if (chance(random) < kept) content.resize(change.offset, filler);
      continue;
    }
    for (std::size_t at = 0; at < change.bytes->size();) {
      const std::size_t offset = change.offset + at;
      std::size_t size = std::min(kSector - offset % kSector, change.bytes->size() - at);
      const std::size_t step = size;
      if (chance(random) < kept) {
        if (chance(random) < 0.1) size = random() % (size + 1);  // torn
        if (content.size() < offset + size) content.resize(offset + size, filler);
        content.replace(offset, size, *change.bytes, at, size);
      }
      at += step;
    }
  }
  return content;
}

}  // namespace

PowerDisk::PowerDisk(std::filesystem::path folder) : state_(std::make_unique<State>()) {
  REQUIRE(current == nullptr);
  current = state_.get();
  state_->disk = this;
  state_->folder = std::move(folder);
  for (const auto& entry : std::filesystem::directory_iterator(state_->folder)) {
    const std::string name = entry.path().filename().string();
    if (IsMemoryOnly(name)) continue;
    auto node = std::make_shared<Node>();
    node->durable = ReadAll(entry.path());
    state_->names[name].durable = std::move(node);
  }
  state_->real = sqlite3_vfs_find(nullptr);
  state_->vfs = *state_->real;  // what is not about files is the real one's
  state_->vfs.zName = "power";
  state_->vfs.pNext = nullptr;
  state_->vfs.pAppData = state_.get();
  state_->vfs.szOsFile = static_cast<int>(sizeof(PowerFile)) + state_->real->szOsFile;
  state_->vfs.xOpen = Open;
  state_->vfs.xDelete = Delete;
  state_->vfs.xAccess = [](sqlite3_vfs* v, const char* path, int flags, int* out) {
    return StateOf(v).real->xAccess(StateOf(v).real, path, flags, out);
  };
  state_->vfs.xFullPathname = [](sqlite3_vfs* v, const char* path, int size, char* out) {
    return StateOf(v).real->xFullPathname(StateOf(v).real, path, size, out);
  };
  state_->real_open_directory = state_->real->xGetSystemCall(state_->real, "openDirectory");
  REQUIRE(state_->real_open_directory != nullptr);
  state_->real->xSetSystemCall(state_->real, "openDirectory",
                               reinterpret_cast<sqlite3_syscall_ptr>(&OpenDirectory));
  REQUIRE(sqlite3_vfs_register(&state_->vfs, 1) == SQLITE_OK);
}

PowerDisk::~PowerDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
  state_->real->xSetSystemCall(state_->real, "openDirectory", state_->real_open_directory);
  current = nullptr;
}

void PowerDisk::Cut(const std::filesystem::path& folder, std::mt19937& random) const {
  const std::lock_guard lock(state_->mutex);
  std::filesystem::create_directories(folder);
  // Sometimes nothing of what was not synced is there, sometimes all.
  const double kept = std::array{0.0, 0.1, 0.5, 0.9, 1.0}[random() % 5];
  for (const auto& [name, entry] : state_->names) {
    const std::size_t choice = random() % (entry.since.size() + 1);
    const NodeRef node = choice == 0 ? entry.durable : entry.since[choice - 1];
    if (!node) continue;
    std::ofstream(folder / name, std::ios::binary) << Survivor(*node, kept, random);
  }
}

}  // namespace mig::store
