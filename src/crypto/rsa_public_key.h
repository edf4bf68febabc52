// RSA public keys that may sign orders, as PKCS#1 RSAPublicKey in DER (RFC 8017 appendix A.1.1),
// and RSASSA-PKCS1-v1_5 verification (section 8.2.2). Nothing here signs: people's RSA keys stay
// with GnuPG or on their cards.
#pragma once

#include "crypto/digest.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

class RsaPublicKey {
 public:
  static constexpr std::size_t kMinBits = 3072;
  // Enough for a primary key to vouch for its subkeys, on certificates of before such keys were
  // long.
  static constexpr std::size_t kMinVouchingBits = 2048;
  static constexpr std::size_t kMaxBits = 16384;  // a verification then takes about a millisecond

  // Only the one DER form there is for a key: two texts are never the same key.
  // Errors: kMalformed: not that form; kInvalid: modulus not kMinBits..kMaxBits or even, or an
  // exponent that is even or not 65537..2^32-1.
  static Expected<RsaPublicKey> FromDer(BytesView der);
  // From big-endian numbers without leading zeros. Error: kInvalid, as above.
  static Expected<RsaPublicKey> FromNumbers(BytesView modulus, BytesView exponent,
                                            std::size_t min_bits = kMinBits);

  Bytes Der() const;
  std::size_t ModulusBytes() const { return modulus_.size(); }

  // `digest` is that of `kind` over the message; `signature` has exactly ModulusBytes().
  // Only SHA-256, SHA-384 and SHA-512: with any other kind it is false.
  bool VerifyPkcs1(DigestKind kind, BytesView digest, BytesView signature) const;

 private:
  RsaPublicKey(BytesView modulus, BytesView exponent) : modulus_(modulus), exponent_(exponent) {}

  Bytes modulus_;
  Bytes exponent_;
};

}  // namespace mig
