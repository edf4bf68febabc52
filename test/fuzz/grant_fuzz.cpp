// Grants in: what is accepted keeps the bounds that agents and the store build on.
#include <cstdint>

#include "proto/grant.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const mig::BytesView text(reinterpret_cast<const char*>(data), size);
  if (const auto grant = mig::DecodeGrant(text)) {
    Require(grant->token.size() == 32, "a token's hash has 32 bytes");
    Require(grant->uses >= 1 && grant->uses <= mig::kMaxTokenUses, "uses are bounded");
    Require(grant->tags.size() <= mig::kMaxTags, "tags are bounded");
    for (const auto& [name, value] : grant->tags) {
      Require(mig::CheckTag(name, value).has_value(), "each tag is one");
    }
    const mig::Bytes written = mig::EncodeGrant(*grant);
    const auto again = mig::DecodeGrant(written);
    Require(again && mig::EncodeGrant(*again) == written,
            "a grant means the same after a round trip");
  }
  return 0;
}
