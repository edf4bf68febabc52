// What is still to be walked, and who walks it: each worker goes on with the newest of its own,
// depth first, and one without work takes half of the oldest of another's, which mostly is the
// largest tree. For os/file_walk alone.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/file_walk.h"
#include "os/files.h"
#include "os/walk_places.h"

namespace mig::os {

struct FolderId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FolderId&) const = default;
};

// A folder that was entered. Shared by all that is beneath it, hence not changed.
struct EnteredFolder {
  std::shared_ptr<const EnteredFolder> parent;  // null: a start
  std::string name;                             // within the parent; of a start its whole path
  FolderId id;
  int depth = 1;
  std::size_t path_bytes = 0;  // length of its path
  PlaceNode* place = nullptr;  // null: no root or mount point here or beneath
  WalkScopePtr scope;

  EnteredFolder() = default;
  EnteredFolder(const EnteredFolder&) = delete;
  EnteredFolder& operator=(const EnteredFolder&) = delete;
  // Not by recursion, which a tree a million folders deep would take through the stack's end.
  ~EnteredFolder();
};
using FolderPtr = std::shared_ptr<const EnteredFolder>;
using FolderHandle = std::shared_ptr<const FileDescriptor>;

// Entries of one folder, still to be visited or entered.
struct Batch {
  FolderPtr folder;
  FolderHandle handle;  // null: closed meanwhile, because too many were open
  std::string items;    // of each its type (ItemType), its name and NUL
  std::size_t next = 0;

  bool done() const { return next >= items.size(); }
};

enum class ItemType : char { kFolder = 'd', kFile = 'f', kLink = 'l', kSpecial = 's' };
void AddItem(std::string& items, ItemType type, std::string_view name);

// One entry of a batch, taken for work.
struct Item {
  FolderPtr folder;
  FolderHandle handle;
  ItemType type = ItemType::kFile;
  std::string name;
};

class WalkBatches {
 public:
  // Of each worker's batches the newest `open_folders` keep their folders open.
  WalkBatches(std::size_t workers, std::size_t open_folders);

  // Becomes the newest of the worker's own. Empty ones are forgotten.
  void Push(std::size_t worker, Batch batch);

  // The next item of the worker's newest batch. False: it has none left.
  bool TakeOwn(std::size_t worker, Item& item);
  // The same, but only of a batch of files of this folder that it shared before.
  bool TakeShared(std::size_t worker, const FolderPtr& folder, Item& item);
  // Opened again: for what is left of the worker's batch of this folder.
  void Reopened(std::size_t worker, const FolderPtr& folder, const FolderHandle& handle);

  // Waits until there is something to steal, and steals it. False: the walk is at its end.
  bool Steal(std::size_t worker);

  // Somebody waits for work, so what can be shared should be.
  bool SomebodyWaits() const { return idle_.load(std::memory_order_relaxed) > 0; }

  // Everybody ends, whatever is left.
  void Stop();
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  // How many take part. The last to come says so before it begins; one that never started is not
  // waited for.
  void Join();

 private:
  struct Queue {
    std::mutex lock;
    std::deque<Batch> batches;
  };
  bool TryToSteal(std::size_t worker);

  std::deque<Queue> queues_;
  std::size_t open_folders_;
  std::atomic<bool> stopped_{false};

  // Ends the walk when all who joined wait. `pushes_` tells a worker that found nothing whether
  // there was something new while it looked.
  std::mutex lock_;
  std::condition_variable changed_;
  std::atomic<std::size_t> idle_{0};
  std::atomic<std::uint64_t> pushes_{0};
  std::size_t joined_ = 0;
  bool over_ = false;
};

}  // namespace mig::os
