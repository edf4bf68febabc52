// Frames from a module's child, whatever it sends: nothing crashes, what is held stays bounded, how
// the pipe cuts the bytes makes no difference, and what was decoded encodes to a frame again.
#include "modules/frames.h"

#include <cstdint>
#include <string_view>

#include "test/fuzz/require.h"

namespace {

struct Seen {
  std::size_t elements = 0;
  bool summary = false;
  bool failed = false;
  bool operator==(const Seen&) const = default;
};

Seen Decode(std::string_view bytes, std::size_t step) {
  mig::FrameDecoder decoder;
  Seen seen;
  while (!bytes.empty() && !seen.failed) {
    if (!decoder.Feed(bytes.substr(0, step))) {
      seen.failed = true;
      break;
    }
    bytes.remove_prefix(std::min(step, bytes.size()));
    for (;;) {
      auto next = decoder.Next();
      if (!next) {
        seen.failed = true;
        break;
      }
      if (!next->has_value()) break;
      mig::fuzz::Require(!seen.summary, "nothing follows a summary");
      if ((*next)->element) {
        ++seen.elements;
        const mig::ElementFrame& frame = *(*next)->element;
        // Numbers may be written longer than they came ("1e5"), but then the encoder says so.
        const auto again = mig::EncodeElement(frame.label, frame.element);
        mig::fuzz::Require(again || again.error().code() == mig::Errc::kFull,
                           "an element encodes again");
      } else {
        seen.summary = true;
        mig::fuzz::Require(mig::EncodeSummary(*(*next)->summary).size() <= mig::kMaxFrameBytes + 4,
                           "a summary fits");
      }
    }
  }
  mig::fuzz::Require(!decoder.finished() || seen.summary, "only a summary finishes");
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  mig::fuzz::Require(Decode(bytes, 4096) == Decode(bytes, 3), "cuts make no difference");
  return 0;
}
