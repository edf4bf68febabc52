// The secret part of an OpenPGP key, version 4 or 6 by the first byte, with a passphrase. What is
// expensive by design (Argon2, many hashes) is not tried beyond a little of it.
#include <cstdint>

#include "crypto/openpgp_s2k.h"
#include "crypto/openpgp_secret_key.h"
#include "test/fuzz/require.h"

using namespace mig;
using namespace mig::openpgp;
using fuzz::Require;

namespace {

// Finds the specifier where the secret part has it, and says whether deriving takes long.
bool IsExpensive(BytesView secret_part, bool is_v6) {
  Octets octets(secret_part);
  const std::uint8_t usage = octets.U8();
  if (is_v6) octets.U8();
  octets.U8();
  if (usage == 253) octets.U8();
  if (is_v6) octets.U8();
  const auto s2k = ReadS2k(octets);
  if (!s2k) return false;
  return s2k->type == S2k::Type::kArgon2 ? s2k->memory_log2 > 8 || s2k->passes > 2
                                         : s2k->coded_count > 0x20;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const SecretKey secret = *SecretKey::FromSeed(Bytes(32, 'k'));
  const bool is_v6 = (data[0] & 1) != 0;
  const BytesView part(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (IsExpensive(part, is_v6)) return 0;
  KeyPacket key;
  Bytes public_part = PublicKeyBodyV4(secret.public_key(), 1795426200);
  key.has_secret = true;
  key.version = is_v6 ? 6 : 4;
  key.algorithm = is_v6 ? 27 : 22;
  key.public_part = public_part;
  key.secret_part = part;
  key.material.emplace(secret.public_key());
  const LockedKey locked(key);
  const auto opened = locked.Open("passphrase");
  Require(!opened || opened->public_key() == secret.public_key(), "what opens is that key");
  Require(opened || !opened.error().message().empty(), "or why not");
  return 0;
}
