#include "roles/scheduler/outbox.h"

#include <utility>

namespace mig::scheduler {

void Outbox::Post(Outgoing message) {
  if (!connected_ || queue_.size() >= kMaxQueued) {
    if (message.done) {
      message.done(connected_ ? Error(Errc::kFull, "too much waits for the relay")
                              : Error(Errc::kUnavailable, "not connected to the relay"));
    }
    return;
  }
  queue_.push_back(std::move(message));
  Pump();
}

std::size_t Outbox::Room() const {
  const std::size_t used = under_way_ + queue_.size();
  return connected_ && used < window_ ? window_ - used : 0;
}

void Outbox::Lost() {
  connected_ = false;
  // A `done` may post again (and is refused), so the queue is emptied first.
  for (Outgoing& message : std::exchange(queue_, {})) {
    if (message.done) message.done(Error(Errc::kUnavailable, "the relay's connection was lost"));
  }
}

void Outbox::Pump() {
  while (connected_ && under_way_ < window_ && !queue_.empty()) {
    Outgoing message = std::move(queue_.front());
    queue_.pop_front();
    ++under_way_;
    Done done = std::move(message.done);
    send_(message, [this, done = std::move(done)](Expected<void> outcome) {
      --under_way_;
      if (done) done(std::move(outcome));
      Pump();
    });
  }
}

}  // namespace mig::scheduler
