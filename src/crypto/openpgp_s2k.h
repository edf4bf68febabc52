// From a passphrase to a key, in the ways OpenPGP has (string-to-key, RFC 9580 section 3.7). What
// is done with the key is crypto/openpgp_secret_key.h.
#pragma once

#include <string_view>

#include "crypto/digest.h"
#include "crypto/openpgp_packet.h"
#include "crypto/wiped.h"

namespace mig::openpgp {

struct S2k {
  // Section 3.7.1. Never renumber: they are the standard's.
  enum class Type : std::uint8_t { kSimple = 0, kSalted = 1, kIterated = 3, kArgon2 = 4 };
  Type type = Type::kSimple;
  DigestKind hash = DigestKind::kSha256;  // not for Argon2
  Bytes salt;
  std::uint8_t coded_count = 0;  // kIterated, section 3.7.1.3
  std::uint8_t passes = 0;       // Argon2
  std::uint8_t lanes = 0;
  std::uint8_t memory_log2 = 0;  // KiB
};

// Reads one specifier. A file is read before anything vouches for it, so what it may cost is
// bounded: Argon2 at most 2 GiB (what section 3.7.1.4 recommends), 16 passes and 16 lanes. Errors:
// kMalformed; kInvalid beyond those bounds; kUnsupported: another type, among them GnuPG's marks
// for a secret that is not in the file (type 101), or a hash other than SHA-1 and SHA-2.
Expected<S2k> ReadS2k(Octets& octets);

void AppendS2k(Bytes& out, const S2k& s2k);

// Error: kFull: no memory for Argon2.
Expected<Wiped> DeriveKey(const S2k& s2k, std::string_view passphrase, std::size_t key_bytes);

}  // namespace mig::openpgp
