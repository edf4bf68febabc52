// One OpenPGP signature packet as its fields say it, and the digest it was made over. Whether it is
// by a given key is asked of crypto/openpgp_key.h; what it means, of crypto/openpgp_signature.h
// (documents) and crypto/openpgp_certificate.h (keys). RFC 9580 section 5.2; versions 4 and 6.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>

#include "crypto/digest.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::openpgp {

// RFC 9580 section 5.2.1.
enum class SignatureType : std::uint8_t {
  kBinary = 0x00,
  kGenericCertification = 0x10,
  kPersonaCertification = 0x11,
  kCasualCertification = 0x12,
  kPositiveCertification = 0x13,
  kSubkeyBinding = 0x18,
  kPrimaryKeyBinding = 0x19,
  kDirectKey = 0x1F,
  kKeyRevocation = 0x20,
  kSubkeyRevocation = 0x28,
  kCertificationRevocation = 0x30,
};

// Section 9.1, table 19: those of keys that make signatures which we check.
enum class KeyAlgorithm : std::uint8_t {
  kRsa = 1,
  kEdDsaLegacy = 22,
  kEd25519 = 27,
};

// Section 5.2.3.29.
inline constexpr std::uint8_t kMayCertify = 0x01;
inline constexpr std::uint8_t kMaySign = 0x02;

// Views into the packet's body, and valid as long as that. Times are seconds since 1970. What the
// signature does not cover (the unhashed area) appears only in the last three fields.
struct SignaturePacket {
  std::uint8_t version = 0;
  SignatureType type{};
  std::uint8_t algorithm = 0;
  std::uint8_t hash = 0;       // section 9.5
  BytesView covered;           // its own octets that are hashed: up to the hashed area's end
  BytesView salt;              // version 6 only
  BytesView left16;            // the digest's first two octets
  BytesView values;            // the algorithm's numbers
  std::uint32_t created = 0;   // section 5.2.3.11; always there
  std::uint32_t lifetime = 0;  // of the signature, 0: no end; section 5.2.3.18
  std::optional<std::uint32_t> key_lifetime;    // section 5.2.3.13
  std::optional<std::uint8_t> key_flags;        // the first octet; section 5.2.3.29
  std::optional<std::uint8_t> revocation_code;  // section 5.2.3.31
  bool is_primary_user_id = false;              // section 5.2.3.27
  bool names_revoker = false;                   // section 5.2.3.23
  BytesView issuer_fingerprint;                 // section 5.2.3.35; a hint
  BytesView issuer_key_id;                      // section 5.2.3.12; a hint
  BytesView embedded;                           // section 5.2.3.34; vouches for itself
};

// Errors: kMalformed; kUnsupported: another version, or a critical subpacket that this build does
// not know or (every notation) cannot act on (section 5.2.3.7).
Expected<SignaturePacket> ReadSignature(BytesView body);

// SHA-1 is accepted in revocations only: whoever can forge one merely takes a key away.
enum class Sha1 { kRefused, kAccepted };

// The digest that `signature` was made over, of `parts` one after the other and then its own
// trailer (section 5.2.4). Errors: kUnsupported: MD5, SHA-1 unless accepted, RIPEMD-160 or anything
// else than SHA-256, SHA-384 and SHA-512; kMalformed: a salt of another size than the digest's
// (section 9.5, table 23).
struct SignedDigest {
  DigestKind kind;
  Bytes bytes;
};
Expected<SignedDigest> DigestFor(const SignaturePacket& signature,
                                 std::initializer_list<BytesView> parts, Sha1 sha1);

// "SHA-256", "unknown (14)": for messages.
std::string HashName(std::uint8_t hash);

// What a signature that we make is hashed with: version 4, SHA-512. The subpackets are whole
// (length, type, data), see AppendSubpacket.
Bytes CoveredV4(SignatureType type, KeyAlgorithm algorithm, BytesView hashed_subpackets);
// RFC 9580 section 5.2.3.7. Requires: fewer than 191 bytes of data.
void AppendSubpacket(Bytes& out, std::uint8_t type, BytesView data);

}  // namespace mig::openpgp
