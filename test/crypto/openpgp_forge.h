// OpenPGP signatures as somebody could make them who holds a key and whose program writes what it
// likes.
#pragma once

#include <cstdint>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/openpgp_packet.h"
#include "crypto/openpgp_public_key.h"
#include "crypto/openpgp_signature_packet.h"

namespace mig::openpgp {

// The key of most tests.
inline const SecretKey& Key() {
  static const SecretKey key = *SecretKey::FromSeed(Bytes(32, 'k'));
  return key;
}

// One version 4 or 6 signature by `key`; RSA is not forged.
struct Forge {
  const SecretKey& key = Key();
  std::uint8_t version = 4;
  std::uint8_t type = 0x00;
  std::uint8_t algorithm = 22;
  std::uint8_t hash = 8;
  Bytes hashed = Subpacket(2, Bytes("\x6A\x00\x00\x00", 4));
  Bytes unhashed;
  Bytes salt = Bytes(16, 's');
  Bytes behind;  // after the packet

  static Bytes Subpacket(std::uint8_t number, BytesView data) {
    Bytes out;
    AppendSubpacket(out, number, data);
    return out;
  }

  Bytes Made(BytesView message) const {
    Bytes covered;
    for (const std::uint8_t octet : {version, type, algorithm, hash}) {
      covered += static_cast<char>(octet);
    }
    const auto append_area = [&](Bytes& out, BytesView area) {
      version == 6 ? AppendU32(out, area.size()) : AppendU16(out, area.size());
      out += area;
    };
    append_area(covered, hashed);
    Bytes trailer = {static_cast<char>(version), '\xFF'};
    AppendU32(trailer, covered.size());
    Digest digest(hash == 10  ? DigestKind::kSha512
                  : hash == 2 ? DigestKind::kSha1
                              : DigestKind::kSha256);
    if (version == 6) digest.Update(salt);
    digest.Update(message);
    digest.Update(covered + trailer);
    const Bytes value = digest.Finish();
    Bytes body = covered;
    append_area(body, unhashed);
    body += value.substr(0, 2);
    if (version == 6) body += static_cast<char>(salt.size());
    if (version == 6) body += salt;
    if (algorithm == 27) {
      body += key.Sign(value);
    } else {
      AppendEdDsaLegacyValues(body, key.Sign(value));
    }
    Bytes out;
    AppendPacket(out, PacketType::kSignature, body);
    return out + behind;
  }
};

}  // namespace mig::openpgp
