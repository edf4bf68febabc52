#include "crypto/ed25519.h"

#include <sodium.h>

#include <cassert>
#include <cstdlib>
#include <cstring>

#include "crypto/digest.h"
#include "crypto/sodium_start.h"

namespace mig {
namespace {

const unsigned char* Unsigned(BytesView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

static_assert(PublicKey::kBytes == crypto_sign_PUBLICKEYBYTES);

Expected<PublicKey> PublicKey::FromBytes(BytesView raw) {
  if (raw.size() != kBytes) {
    return Error(Errc::kMalformed,
                 "an Ed25519 public key has 32 bytes, not " + std::to_string(raw.size()));
  }
  PublicKey key;
  std::memcpy(key.bytes_.data(), raw.data(), kBytes);
  return key;
}

Bytes PublicKey::Fingerprint() const { return Sha256(View()); }

bool PublicKey::Verify(BytesView message, BytesView signature) const {
  if (signature.size() != crypto_sign_BYTES) return false;
  StartSodium();
  // Refuses S >= L, small-order R and key, and a key that is not canonical (tests hold each).
  return crypto_sign_verify_detached(Unsigned(signature), Unsigned(message), message.size(),
                                     bytes_.data()) == 0;
}

// The 64 bytes libsodium signs with (seed, then public key) on pages of their own: never swapped
// where the system permits it, not in core dumps, read-only once written.
struct SecretKey::Guarded {
  unsigned char* bytes;
  PublicKey public_key;

  Guarded() : bytes(nullptr) {
    StartSodium();
    bytes = static_cast<unsigned char*>(sodium_malloc(crypto_sign_SECRETKEYBYTES));
    // Guarded memory has no substitute that is as safe, and a process without three pages left
    // cannot report it.
    if (bytes == nullptr) std::abort();
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { sodium_free(bytes); }  // wipes

  void Seal(const unsigned char* public_bytes) {
    auto key = PublicKey::FromBytes(
        {reinterpret_cast<const char*>(public_bytes), crypto_sign_PUBLICKEYBYTES});
    public_key = *key;
    sodium_mprotect_readonly(bytes);
  }
};

SecretKey::SecretKey(std::unique_ptr<Guarded> guarded) : guarded_(std::move(guarded)) {}
SecretKey::SecretKey(SecretKey&&) noexcept = default;
SecretKey& SecretKey::operator=(SecretKey&&) noexcept = default;
SecretKey::~SecretKey() = default;

SecretKey SecretKey::Generate() {
  auto guarded = std::make_unique<Guarded>();
  unsigned char public_bytes[crypto_sign_PUBLICKEYBYTES];
  crypto_sign_keypair(public_bytes, guarded->bytes);
  guarded->Seal(public_bytes);
  return SecretKey(std::move(guarded));
}

Expected<SecretKey> SecretKey::FromSeed(BytesView seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) {
    return Error(Errc::kMalformed,
                 "an Ed25519 seed has 32 bytes, not " + std::to_string(seed.size()));
  }
  auto guarded = std::make_unique<Guarded>();
  unsigned char public_bytes[crypto_sign_PUBLICKEYBYTES];
  crypto_sign_seed_keypair(public_bytes, guarded->bytes, Unsigned(seed));
  guarded->Seal(public_bytes);
  return SecretKey(std::move(guarded));
}

const PublicKey& SecretKey::public_key() const { return guarded_->public_key; }

Bytes SecretKey::Sign(BytesView message) const {
  Bytes signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                       Unsigned(message), message.size(), guarded_->bytes);
  return signature;
}

Bytes SecretKey::Seed() const {
  return Bytes(reinterpret_cast<const char*>(guarded_->bytes), crypto_sign_SEEDBYTES);
}

Bytes RandomBytes(std::size_t count) {
  StartSodium();
  Bytes bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

void WipeBytes(Bytes& bytes) {
  // Beyond the end may stand what the string held before it was cut, or moved from (a short one is
  // copied by that).
  bytes.resize(bytes.capacity());
  sodium_memzero(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace mig
