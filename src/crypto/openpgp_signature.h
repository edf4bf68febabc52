// Detached OpenPGP signatures over documents: RFC 9580 sections 5.2 and 10.4 (RFC 4880 within it).
// Bytes in, bytes out; armour is crypto/openpgp_armor.h, keys with names and validity are
// crypto/openpgp_certificate.h: here a key is its material alone, because a policy decides who it
// is.
#pragma once

#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::openpgp {

inline constexpr std::size_t kMaxSignatureBytes = 16 * 1024;

// True if the bytes begin like a signature packet (old or new header): how an envelope's signature
// in this form is told from others.
bool LooksLikeSignature(BytesView bytes);

// Checks that `signature`, exactly one signature packet with nothing behind it, is by the key over
// `message` (section 5.2.4). `key_type` and `material`: "ed25519" and 32 bytes, or "rsa" and
// PKCS#1 RSAPublicKey in DER.
// Accepted: signature type 0x00 only; version 4, and 6 with its salt; Ed25519 by algorithm 27 or
// (version 4) EdDSALegacy, 22; RSA by algorithm 1 with PKCS#1 v1.5 padding; SHA-256, SHA-384 and
// SHA-512. The issuer it names is not looked at: the key was chosen by who asks. Nor is its
// creation time compared with any clock: what is signed carries its own times, and for the same
// reason a signature that would expire by itself is refused. Errors: kMalformed; kUnsupported:
// well-formed, but nothing of the above; kDenied: not a signature by this key over this message;
// kInvalid: the key itself is not acceptable.
Expected<void> VerifyDetached(BytesView signature, BytesView message, std::string_view key_type,
                              BytesView material);

}  // namespace mig::openpgp
