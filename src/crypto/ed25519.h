// Ed25519 keys and signatures (RFC 8032, libsodium). Secret bytes are wiped when a key goes away.
#pragma once

#include <array>
#include <memory>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

class PublicKey {
 public:
  static constexpr std::size_t kBytes = 32;
  static Expected<PublicKey> FromBytes(BytesView raw);  // 32 bytes; error: kMalformed
  BytesView View() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }
  // SHA-256 of the raw key: what proto/ids.h calls KeyId and, for agents, AgentId.
  Bytes Fingerprint() const;
  auto operator<=>(const PublicKey&) const = default;

  // True only for a valid signature; small-order keys and non-canonical forms never verify.
  bool Verify(BytesView message, BytesView signature) const;

 private:
  std::array<unsigned char, kBytes> bytes_{};
};

// Move-only; the bytes live in guarded memory (sodium_malloc).
class SecretKey {
 public:
  static SecretKey Generate();
  static Expected<SecretKey> FromSeed(BytesView seed);  // 32 bytes
  SecretKey(SecretKey&&) noexcept;
  SecretKey& operator=(SecretKey&&) noexcept;
  ~SecretKey();

  const PublicKey& public_key() const;
  Bytes Sign(BytesView message) const;  // 64 bytes
  Bytes Seed() const;                   // 32 bytes; the caller wipes it (WipeBytes)

 private:
  struct Guarded;
  explicit SecretKey(std::unique_ptr<Guarded> guarded);
  std::unique_ptr<Guarded> guarded_;
};

// Cryptographically secure random bytes.
Bytes RandomBytes(std::size_t count);

// Overwrites all that the string has memory for, and empties it.
void WipeBytes(Bytes& bytes);

}  // namespace mig
