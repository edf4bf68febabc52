// What waits to be sent on one connection: small packets are put together, large ones are shared
// with the other receivers and written without a copy. The broker bounds its size
// (mqtt/limits.h, unsent_bytes).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <vector>

#include "mqtt/effect.h"
#include "util/bytes.h"

namespace mig {

class OutQueue {
 public:
  // Frames above this size are not copied.
  static constexpr std::size_t kShareAbove = 2048;
  // Small packets are put together up to this size.
  static constexpr std::size_t kChunkBytes = 16 * 1024;

  void Append(const mqtt::Send& send);

  // Points `vectors` at the first bytes; returns how many were used. Valid until the next change.
  std::size_t Gather(std::span<iovec> vectors) const;

  // So many bytes have left. Requires: bytes <= size().
  void Consume(std::size_t bytes);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  struct Segment {
    Bytes own;
    mqtt::FrameRef frame;   // or: the frame's bytes …
    std::size_t start = 0;  // … from here
    BytesView View() const {
      return frame ? BytesView(frame->bytes).substr(start) : BytesView(own);
    }
  };
  // From first_ on. Not a deque: one of one packet takes 600 bytes, and nothing waits on most
  // connections.
  std::vector<Segment> segments_;
  std::size_t first_ = 0;
  std::size_t sent_ = 0;  // of the first segment
  std::size_t size_ = 0;
};

}  // namespace mig
