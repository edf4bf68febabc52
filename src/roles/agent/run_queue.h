// Which accepted actions run and which wait: two at once, thirty-two in line, beyond that the agent
// is busy. Pure; who runs them is roles/agent/runner.h.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <set>

#include "proto/ids.h"

namespace mig::agent {

class RunQueue {
 public:
  static constexpr std::size_t kMaxRunning = 2;
  static constexpr std::size_t kMaxQueued = 32;

  // Whether one more action can be taken: if not, the answer is `busy`.
  bool HasRoom() const { return queued_.size() < kMaxQueued; }

  // At the end of the line. What was accepted before a restart is added even without room: it was
  // promised.
  void Add(const ActionId& id) { queued_.push_back(id); }

  // The next to run, which then counts as running; nothing when two run, or none waits.
  std::optional<ActionId> StartNext();

  // It runs no more. False: it did not run.
  bool Ended(const ActionId& id) { return running_.erase(id) > 0; }

  // Takes a waiting action out of the line. False: it did not wait.
  bool Remove(const ActionId& id);

  bool IsRunning(const ActionId& id) const { return running_.contains(id); }
  std::size_t running() const { return running_.size(); }
  std::size_t queued() const { return queued_.size(); }

 private:
  std::set<ActionId> running_;
  std::deque<ActionId> queued_;
};

}  // namespace mig::agent
