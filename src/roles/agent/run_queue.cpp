#include "roles/agent/run_queue.h"

#include <algorithm>

namespace mig::agent {

std::optional<ActionId> RunQueue::StartNext() {
  if (queued_.empty() || running_.size() >= kMaxRunning) return std::nullopt;
  const ActionId id = queued_.front();
  queued_.pop_front();
  running_.insert(id);
  return id;
}

bool RunQueue::Remove(const ActionId& id) {
  const auto found = std::find(queued_.begin(), queued_.end(), id);
  if (found == queued_.end()) return false;
  queued_.erase(found);
  return true;
}

}  // namespace mig::agent
