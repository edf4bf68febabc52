// Envelopes in: what is accepted survives being written and read again, and no signature verifies
// under a key that did not make it.
#include <cstdint>
#include <string_view>

#include "crypto/envelope.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const auto envelope = mig::DecodeEnvelope({reinterpret_cast<const char*>(data), size});
  if (!envelope) return 0;
  Require(!envelope->signatures.empty() && envelope->signatures.size() <= mig::kMaxSignatures,
          "an accepted envelope has 1 to 32 signatures");
  const mig::Bytes text = mig::EncodeEnvelope(*envelope);
  const auto again = mig::DecodeEnvelope(text);
  // Writing may be longer than what was read only where that was at the bound.
  if (!again) {
    Require(text.size() > mig::kMaxEnvelopeBytes, "an envelope written is read");
    return 0;
  }
  Require(again->payload_type == envelope->payload_type && again->payload == envelope->payload &&
              again->signatures.size() == envelope->signatures.size(),
          "an envelope survives its text");
  static const mig::SecretKey stranger = mig::SecretKey::Generate();
  Require(!mig::SignedBy(*envelope, stranger.public_key()), "a stranger signed nothing");
  return 0;
}
