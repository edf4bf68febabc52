// Detached OpenPGP signatures from outside, for an Ed25519 key that signed one message and for an
// RSA key that signed nothing.
#include <cstdint>

#include "crypto/key_file.h"
#include "crypto/openpgp_packet.h"
#include "crypto/openpgp_signature.h"
#include "crypto/openpgp_signature_packet.h"
#include "crypto/rsa_public_key.h"
#include "test/fuzz/require.h"

using namespace mig;
using namespace mig::openpgp;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SecretKey key = *SecretKey::FromSeed(Bytes(32, 'k'));
  static const Bytes rsa =
      RsaPublicKey::FromNumbers(Bytes(384, '\xFF'), Bytes("\x01\x00\x01", 3))->Der();
  const BytesView signature(reinterpret_cast<const char*>(data), size);
  const BytesView material = key.public_key().View();
  if (VerifyDetached(signature, "message", "ed25519", material)) {
    BytesView rest = signature;
    const auto packet = TakePacket(rest);
    Require(packet && rest.empty() && LooksLikeSignature(signature), "it is one packet");
    const auto fields = ReadSignature(packet->body);
    Require(fields && fields->type == SignatureType::kBinary && fields->lifetime == 0,
            "over a document, without an end");
    // The corpus has signatures of this key made at these two times.
    Require(fields->created == 1795426200 || fields->created == 1795426201, "made by the key");
  }
  Require(!VerifyDetached(signature, "massage", "ed25519", material), "over nothing else");
  Require(!VerifyDetached(signature, "message", "rsa", rsa), "by no other key");
  return 0;
}
