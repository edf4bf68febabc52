#include "net/out_queue.h"

#include <cassert>

namespace mig {
namespace {

constexpr std::size_t kForgetAt = 64;  // segments that have left, before the others move up

}  // namespace

void OutQueue::Append(const mqtt::Send& send) {
  const std::size_t size = send.Size();
  if (size == 0) return;
  size_ += size;
  const bool share = send.frame && size > kShareAbove;
  if (first_ == segments_.size() || segments_.back().frame ||
      segments_.back().own.size() + (share ? 0 : size) > kChunkBytes) {
    segments_.emplace_back();
  }
  Bytes& own = segments_.back().own;
  if (!share) {
    mqtt::AppendSend(own, send);
    return;
  }
  // Up to the packet identifier the bytes differ from one receiver to the next.
  const std::size_t start =
      send.frame->packet_id_offset == 0 ? 1 : send.frame->packet_id_offset + 2;
  const std::size_t first = own.size();
  own.append(send.frame->bytes, 0, start);
  if (send.dup) own[first] = static_cast<char>(own[first] | 0x08);
  if (send.frame->packet_id_offset != 0) {
    own[own.size() - 2] = static_cast<char>(send.packet_id >> 8);
    own[own.size() - 1] = static_cast<char>(send.packet_id & 0xFF);
  }
  segments_.push_back(Segment{{}, send.frame, start});
}

std::size_t OutQueue::Gather(std::span<iovec> vectors) const {
  std::size_t used = 0;
  std::size_t skip = sent_;
  for (const Segment& segment : std::span(segments_).subspan(first_)) {
    if (used == vectors.size()) break;
    const BytesView view = segment.View().substr(skip);
    skip = 0;
    vectors[used].iov_base = const_cast<char*>(view.data());  // writev only reads
    vectors[used].iov_len = view.size();
    ++used;
  }
  return used;
}

void OutQueue::Consume(std::size_t bytes) {
  assert(bytes <= size_);
  size_ -= bytes;
  sent_ += bytes;
  while (first_ < segments_.size() && sent_ >= segments_[first_].View().size()) {
    sent_ -= segments_[first_].View().size();
    segments_[first_++] = {};
  }
  if (size_ == 0) {
    segments_ = std::vector<Segment>();  // `= {}` would keep the memory
    first_ = 0;
  } else if (first_ >= kForgetAt) {
    segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

}  // namespace mig
