// What agents say, in: receipts, result parts, heartbeats, presence. What is accepted keeps the
// promises of proto/result.h.
#include <cstdint>

#include "proto/result.h"
#include "test/fuzz/require.h"

namespace {

using mig::fuzz::Require;

// Values that modules make may hold doubles, which Boost 1.81 may read one unit in the last place
// off: so the round trip is only asked to succeed, not to be equal to the byte.
template <auto kDecode, auto kEncode>
void CheckRoundTrip(mig::BytesView text) {
  const auto decoded = kDecode(text);
  if (!decoded) return;
  Require(kDecode(kEncode(*decoded)).has_value(), "what is written is read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  CheckRoundTrip<mig::DecodeReceipt, mig::EncodeReceipt>(text);
  CheckRoundTrip<mig::DecodeHeartbeat, mig::EncodeHeartbeat>(text);
  CheckRoundTrip<mig::DecodePresence, mig::EncodePresence>(text);
  CheckRoundTrip<mig::DecodeResultPart, mig::EncodeResultPart>(text);
  if (const auto part = mig::DecodeResultPart(text)) {
    Require(part->last == part->status.has_value(), "the last part, and only it, has a status");
    Require(!part->status || mig::IsFinal(*part->status), "that status is final");
    Require(part->previous.size() == (part->seq == 0 ? 0u : 32u), "the chain begins at part 0");
  }
  return 0;
}
