#include "mqtt/message_queue.h"

#include <algorithm>
#include <cassert>

namespace mig::mqtt {

MessageQueue::~MessageQueue() { Subtract(messages_, bytes_); }

void MessageQueue::Add(std::size_t messages, std::size_t bytes) {
  messages_ += messages;
  bytes_ += bytes;
  if (totals_ == nullptr) return;
  totals_->messages += messages;
  totals_->bytes += bytes;
}

void MessageQueue::Subtract(std::size_t messages, std::size_t bytes) {
  assert(messages_ >= messages && bytes_ >= bytes);
  messages_ -= messages;
  bytes_ -= bytes;
  if (totals_ == nullptr) return;
  totals_->messages -= messages;
  totals_->bytes -= bytes;
}

void MessageQueue::Restore(std::size_t messages, std::size_t bytes, std::uint64_t last_sequence) {
  assert(messages_ == 0);
  durable_ = true;
  Add(messages, bytes);
  on_disk_ = messages;
  last_sequence_ = std::max(last_sequence_, last_sequence);
}

void MessageQueue::Push(QueueEntry entry, bool reading) {
  Add(1, entry.message->Size());
  const bool in_memory = !durable_ || (reading && on_disk_ == 0 && !page_asked_ &&
                                       window_.size() - head_ < kWindowEntries);
  if (!in_memory) {
    ++on_disk_;
    return;
  }
  paged_up_to_ = entry.sequence;
  window_.push_back(std::move(entry));
}

std::optional<QueueEntry> MessageQueue::Pop() {
  if (head_ == window_.size()) return std::nullopt;
  QueueEntry entry = std::move(window_[head_++]);
  Trim();
  return entry;
}

void MessageQueue::Return(QueueEntry entry) {
  const auto begin = window_.begin() + static_cast<std::ptrdiff_t>(head_);
  const auto place =
      std::ranges::lower_bound(begin, window_.end(), entry.sequence, {}, &QueueEntry::sequence);
  window_.insert(place, std::move(entry));
}

void MessageQueue::Adopt(std::uint64_t sequence, std::size_t size) {
  assert(TailInMemory());
  Add(1, size);
  paged_up_to_ = sequence;
}

void MessageQueue::Done(std::size_t size) { Subtract(1, size); }

void MessageQueue::ToDisk() {
  assert(durable_);
  window_ = std::vector<QueueEntry>();  // `= {}` would keep the memory
  head_ = 0;
  on_disk_ = messages_;
  paged_up_to_ = 0;
  page_asked_ = false;
}

bool MessageQueue::NeedsPage() const {
  return on_disk_ > 0 && !page_asked_ && window_.size() - head_ < kPageBelow;
}

bool MessageQueue::Paged(std::uint64_t after, std::vector<QueueEntry> rows) {
  if (!page_asked_ || after != paged_up_to_) return false;
  page_asked_ = false;
  // Rows are gone from the disk only through us, so that an empty page means that the count was
  // wrong; the disk is right.
  if (rows.empty()) on_disk_ = 0;
  on_disk_ -= std::min(on_disk_, rows.size());
  for (QueueEntry& row : rows) {
    paged_up_to_ = row.sequence;
    window_.push_back(std::move(row));
  }
  return true;
}

void MessageQueue::ExpiredOnDisk(std::size_t size) {
  on_disk_ -= std::min<std::size_t>(on_disk_, 1);
  if (messages_ > 0) Done(std::min(size, bytes_));
}

void MessageQueue::Trim() {
  if (head_ == window_.size()) {
    window_.clear();
    head_ = 0;
    if (window_.capacity() > kWindowEntries / 4) window_.shrink_to_fit();
  } else if (head_ >= kPageEntries) {
    window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace mig::mqtt
