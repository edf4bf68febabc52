// The stream between a module's child process and the agent: length-prefixed frames, elements
// first, then exactly one summary. Pure: bytes in, frames out. Not the wire between machines,
// which is signed parts (proto/result.h); this crosses one pipe.
//
//   frame   := length(4, big-endian, of what follows) type(1) body
//   element := type 1, label_length(2, big-endian), label (UTF-8), JSON text of one value
//   summary := type 2, JSON text of one result object; nothing may follow it
//
// Example, the element 7 under the label "s1", 10 bytes: 00 00 00 06 01 00 02 73 31 37.
// The type numbers are compiled into every agent: never renumber.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "modules/result.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

// A frame's length field counts the type byte, so it is 1 to kMaxFrameBytes. One element must fit
// into one signed part of 256 KiB together with its surroundings.
inline constexpr std::size_t kMaxFrameBytes = 128 * 1024;
inline constexpr std::size_t kMaxLabelBytes = 256;

struct ElementFrame {
  std::string label;
  json::value element;
  std::size_t encoded_bytes = 0;  // of the element's JSON text, for counting against limits
};

struct Frame {
  std::optional<ElementFrame> element;  // exactly one of these
  std::optional<ModuleResult> summary;
};

// Error: kFull when the frame would be larger than kMaxFrameBytes.
Expected<Bytes> EncodeElement(std::string_view label, const json::value& element);
// The same for an element that is JSON text already.
Expected<Bytes> EncodeElementText(std::string_view label, BytesView json_text);

// A summary that would be too large loses its last errors, and says how many in their place; then
// its statistics. Always fits.
Bytes EncodeSummary(const ModuleResult& summary);

// Takes bytes as they come from the pipe and gives whole frames. After an error it stays in error:
// the child is not one of ours any more, and is killed. Holds at most one frame and one chunk.
class FrameDecoder {
 public:
  // Error: the one that Next() gave, or kMalformed for anything after the summary.
  Expected<void> Feed(BytesView bytes);

  // The next frame, in order; empty when more bytes are needed. Call until it is empty before
  // feeding more. Error: kMalformed (length, type, label, JSON; anything after the summary).
  Expected<std::optional<Frame>> Next();

  // True when the summary has been returned by Next() and nothing is left over: a child that ends
  // before this was cut off.
  bool finished() const { return finished_ && pending_.size() == start_; }

 private:
  Error Fail(std::string message);

  Bytes pending_;
  std::size_t start_ = 0;  // of what Next() has not consumed yet
  bool finished_ = false;
  std::optional<Error> error_;
};

}  // namespace mig
