// The keys whose OpenPGP signatures we check, and that check; and the packet that carries a key,
// public or secret (RFC 9580 sections 5.5.1 to 5.5.4), versions 4 and 6. What a key may do and
// until when is on its certificate: crypto/openpgp_certificate.h. Secrets are opened by
// crypto/openpgp_secret_key.h.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>

#include "crypto/ed25519.h"
#include "crypto/openpgp_packet.h"
#include "crypto/openpgp_signature_packet.h"
#include "crypto/rsa_public_key.h"

namespace mig::openpgp {

// An Ed25519 or RSA public key, without anything that OpenPGP says about it.
class SigningMaterial {
 public:
  explicit SigningMaterial(PublicKey key) : key_(std::move(key)) {}
  explicit SigningMaterial(RsaPublicKey key) : key_(std::move(key)) {}
  // "ed25519" with 32 bytes, "rsa" with an RSAPublicKey in DER.
  // Errors: kMalformed, kInvalid: no such key; kUnsupported: another type.
  static Expected<SigningMaterial> From(std::string_view type, BytesView material);

  std::string_view Type() const;  // as From takes it
  Bytes Material() const;
  const PublicKey* Ed25519() const { return std::get_if<PublicKey>(&key_); }
  const RsaPublicKey* Rsa() const { return std::get_if<RsaPublicKey>(&key_); }

 private:
  std::variant<PublicKey, RsaPublicKey> key_;
};

// Whether `signature` is by `key` over `parts` (section 5.2.4).
// Errors: kDenied: it is not; kUnsupported, kMalformed: the signature's algorithms or numbers.
Expected<void> VerifyBy(const SigningMaterial& key, const SignaturePacket& signature,
                        std::initializer_list<BytesView> parts, Sha1 sha1);

// The algorithm's numbers in a signature of ours (section 5.2.3.3), after `left16`.
void AppendEdDsaLegacyValues(Bytes& out, BytesView raw_signature);

// A key packet. Views into its body.
struct KeyPacket {
  bool is_subkey = false;
  bool has_secret = false;
  std::uint8_t version = 0;
  std::uint32_t created = 0;  // seconds since 1970
  std::uint8_t algorithm = 0;
  BytesView public_part;  // the body up to the end of the public numbers: what fingerprints hash
  BytesView secret_part;  // what follows in a secret key packet, from the S2K usage octet on
  std::optional<SigningMaterial> material;
  // What checks its signatures over keys: the material, or RSA that is only too short for
  // documents.
  std::optional<SigningMaterial> voucher;
  std::string why_not;  // without material: why no signature of this key is checked, in plain words
};

// Errors: kMalformed; kUnsupported for another version. A key with an algorithm or size that we do
// not accept is read, without material.
Expected<KeyPacket> ReadKey(const Packet& packet);

// Raw: 20 bytes (version 4, SHA-1) or 32 (version 6); section 5.5.4. That SHA-1 names a key and
// vouches for nothing.
Bytes FingerprintOf(const KeyPacket& key);
std::string FingerprintText(const KeyPacket& key);  // in upper-case hex, as GnuPG prints it
// The eight bytes of it that signatures used to name their key by.
Bytes KeyIdOf(const KeyPacket& key);

// The public part as signatures over keys hash it (section 5.2.4), its header included.
Bytes HashedForm(const KeyPacket& key);

// Body of a version 4 EdDSALegacy public key packet. Requires: created fits 32 bits.
Bytes PublicKeyBodyV4(const PublicKey& key, std::uint32_t created);

}  // namespace mig::openpgp
