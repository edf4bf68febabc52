#include "crypto/openpgp_signature.h"

#include "crypto/openpgp_packet.h"
#include "crypto/openpgp_public_key.h"
#include "crypto/openpgp_signature_packet.h"

namespace mig::openpgp {

bool LooksLikeSignature(BytesView bytes) {
  if (bytes.empty()) return false;
  const auto header = static_cast<unsigned char>(bytes.front());
  constexpr auto kType = static_cast<unsigned>(PacketType::kSignature);
  return header == (0xC0u | kType) || (header & 0xFCu) == (0x80u | kType << 2);
}

Expected<void> VerifyDetached(BytesView signature, BytesView message, std::string_view key_type,
                              BytesView material) {
  if (signature.size() > kMaxSignatureBytes) {
    return Error(Errc::kMalformed, "OpenPGP signature: longer than any");
  }
  const auto packet = TakePacket(signature);
  if (!packet) return packet.error();
  if (packet->type != PacketType::kSignature) {
    return Error(Errc::kMalformed, "OpenPGP signature: the bytes are another packet");
  }
  if (!signature.empty()) {
    return Error(Errc::kMalformed, "OpenPGP signature: something follows it");
  }
  const auto fields = ReadSignature(packet->body);
  if (!fields) return fields.error();
  if (fields->type != SignatureType::kBinary) {
    return Error(Errc::kUnsupported,
                 "OpenPGP signature: not one over a binary document (type 0x00); sign with "
                 "`gpg --detach-sign`, without --textmode");
  }
  if (fields->lifetime != 0) {
    return Error(Errc::kUnsupported,
                 "OpenPGP signature: it expires by itself, but what is signed has its own times; "
                 "sign without an expiry");
  }
  const auto key = SigningMaterial::From(key_type, material);
  if (!key) return key.error();
  return VerifyBy(*key, *fields, {message}, Sha1::kRefused);
}

}  // namespace mig::openpgp
