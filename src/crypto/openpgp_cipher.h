// The ciphers around OpenPGP secret keys: AES in CFB (RFC 9580 section 5.5.3) and, for AEAD, in OCB
// and GCM (sections 5.13.4 and 5.13.5). EAX is not in OpenSSL, and refused.
#pragma once

#include <cstdint>
#include <optional>

#include "crypto/wiped.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::openpgp {

inline constexpr std::uint8_t kAes256 = 9;  // section 9.3
inline constexpr std::size_t kAesBlockBytes = 16;
inline constexpr std::size_t kAeadTagBytes = 16;

// Bytes of the key of AES-128, AES-192 and AES-256 (7, 8, 9). Error: kUnsupported.
Expected<std::size_t> CipherKeyBytes(std::uint8_t cipher);
// Section 9.6. Error: kUnsupported.
Expected<std::size_t> AeadNonceBytes(std::uint8_t aead);

enum class CfbWay { kDecrypt, kEncrypt };
// Requires: CipherKeyBytes(cipher), a key of that size and an initial value of one block.
Wiped Cfb(CfbWay way, std::uint8_t cipher, BytesView key, BytesView initial, BytesView text);

// Nothing where the tag, the last 16 bytes of `sealed`, is not theirs.
// Requires: AeadNonceBytes(aead), and sizes as the two functions say.
std::optional<Wiped> OpenAead(std::uint8_t cipher, std::uint8_t aead, BytesView key,
                              BytesView nonce, BytesView vouched_for, BytesView sealed);

// HKDF-SHA256 without salt (RFC 5869), as section 5.5.3 uses it.
Wiped Hkdf(BytesView secret, BytesView info, std::size_t size);

}  // namespace mig::openpgp
