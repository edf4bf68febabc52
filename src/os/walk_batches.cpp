#include "os/walk_batches.h"

#include <algorithm>

namespace mig::os {
namespace {

// The first item at or after the middle of what is left; the end when there is but one.
std::size_t MiddleOf(const Batch& batch) {
  const std::size_t half = batch.next + (batch.items.size() - batch.next) / 2;
  const std::size_t end = batch.items.find('\0', half - 1);
  return end == std::string::npos ? batch.items.size() : end + 1;
}

void TakeItem(Batch& batch, Item& item) {
  if (item.folder != batch.folder) item.folder = batch.folder;
  if (item.handle != batch.handle) item.handle = batch.handle;
  item.type = static_cast<ItemType>(batch.items[batch.next]);
  item.name.assign(batch.items.c_str() + batch.next + 1);
  batch.next += item.name.size() + 2;
}

}  // namespace

EnteredFolder::~EnteredFolder() {
  std::shared_ptr<const EnteredFolder> above = std::move(parent);
  while (above != nullptr && above.use_count() == 1) {
    // Ours alone, so nobody else sees the change; and what is destroyed then has no parent any
    // more.
    std::shared_ptr<const EnteredFolder> next =
        std::move(const_cast<EnteredFolder*>(above.get())->parent);
    above = std::move(next);
  }
}

void AddItem(std::string& items, ItemType type, std::string_view name) {
  items += static_cast<char>(type);
  items += name;
  items += '\0';
}

WalkBatches::WalkBatches(std::size_t workers, std::size_t open_folders)
    : queues_(workers), open_folders_(std::max<std::size_t>(open_folders, 1)) {}

void WalkBatches::Push(std::size_t worker, Batch batch) {
  if (batch.done()) return;
  {
    Queue& queue = queues_[worker];
    const std::lock_guard held(queue.lock);
    queue.batches.push_back(std::move(batch));
    if (queue.batches.size() > open_folders_) {
      queue.batches[queue.batches.size() - 1 - open_folders_].handle.reset();
    }
  }
  if (queues_.size() == 1) return;
  pushes_.fetch_add(1);
  if (idle_.load() == 0) return;
  const std::lock_guard held(lock_);
  changed_.notify_one();
}

bool WalkBatches::TakeOwn(std::size_t worker, Item& item) {
  Queue& queue = queues_[worker];
  const std::lock_guard held(queue.lock);
  if (queue.batches.empty()) return false;
  TakeItem(queue.batches.back(), item);
  if (queue.batches.back().done()) queue.batches.pop_back();
  return true;
}

bool WalkBatches::TakeShared(std::size_t worker, const FolderPtr& folder, Item& item) {
  Queue& queue = queues_[worker];
  const std::lock_guard held(queue.lock);
  if (queue.batches.empty() || queue.batches.back().folder != folder) return false;
  TakeItem(queue.batches.back(), item);
  if (queue.batches.back().done()) queue.batches.pop_back();
  return true;
}

void WalkBatches::Reopened(std::size_t worker, const FolderPtr& folder,
                           const FolderHandle& handle) {
  Queue& queue = queues_[worker];
  const std::lock_guard held(queue.lock);
  if (!queue.batches.empty() && queue.batches.back().folder == folder) {
    queue.batches.back().handle = handle;
  }
}

bool WalkBatches::TryToSteal(std::size_t worker) {
  for (std::size_t i = 1; i < queues_.size(); ++i) {
    Queue& victim = queues_[(worker + i) % queues_.size()];
    Batch stolen;
    {
      const std::lock_guard held(victim.lock);
      if (victim.batches.empty()) continue;
      Batch& oldest = victim.batches.front();
      const std::size_t middle = MiddleOf(oldest);
      if (middle >= oldest.items.size()) {
        stolen = std::move(oldest);
        victim.batches.pop_front();
      } else {
        stolen.folder = oldest.folder;
        stolen.handle = oldest.handle;
        stolen.items = oldest.items.substr(middle);
        oldest.items.resize(middle);
      }
    }
    Push(worker, std::move(stolen));
    return true;
  }
  return false;
}

bool WalkBatches::Steal(std::size_t worker) {
  if (queues_.size() == 1) return false;
  for (;;) {
    const std::uint64_t before = pushes_.load();
    if (stopped()) return false;
    if (TryToSteal(worker)) return true;
    std::unique_lock held(lock_);
    if (over_) return false;
    ++idle_;
    if (pushes_.load() == before && idle_.load() == joined_) {
      over_ = true;
      changed_.notify_all();
    }
    changed_.wait(held, [&] { return over_ || stopped() || pushes_.load() != before; });
    --idle_;
    if (over_) return false;
  }
}

void WalkBatches::Stop() {
  stopped_ = true;
  const std::lock_guard held(lock_);
  changed_.notify_all();
}

void WalkBatches::Join() {
  const std::lock_guard held(lock_);
  ++joined_;
}

}  // namespace mig::os
