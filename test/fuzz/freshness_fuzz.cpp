// Freshness statements in: what is accepted means the same after a round trip.
#include <cstdint>

#include "proto/freshness.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  if (const auto freshness = mig::DecodeFreshness(text)) {
    Require(freshness->digest.size() == 32, "a digest has 32 bytes");
    const mig::Bytes written = mig::EncodeFreshness(*freshness);
    const auto again = mig::DecodeFreshness(written);
    Require(again && mig::EncodeFreshness(*again) == written,
            "a statement means the same after a round trip");
  }
  return 0;
}
