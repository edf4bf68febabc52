#include "crypto/openpgp_secret_key.h"

#include <cassert>

#include "crypto/digest.h"
#include "crypto/openpgp_cipher.h"
#include "crypto/openpgp_s2k.h"

namespace mig::openpgp {
namespace {

// RFC 9580 section 3.7.2.1.
constexpr std::uint8_t kInClear = 0;
constexpr std::uint8_t kAead = 253;
constexpr std::uint8_t kCfbSha1 = 254;
constexpr std::uint8_t kCfbChecksum = 255;

constexpr std::size_t kSeedBytes = 32;
constexpr std::size_t kSha1Bytes = 20;
constexpr std::size_t kChecksumBytes = 2;
// Coded count 0xE0: 16 MiB of hashing, 40 ms here; what GnuPG calibrates itself to is similar.
constexpr std::uint8_t kCodedCount = 0xE0;

Error Malformed(std::string_view why) {
  return Error(Errc::kMalformed, "OpenPGP secret key: " + std::string(why));
}
Error WrongPassphrase() {
  return Error(Errc::kDenied, "OpenPGP secret key: wrong passphrase, or the file was altered");
}

// Usage 255 and the numbers of ciphers (section 3.7.2.1). GnuPG marks secrets that are elsewhere
// with 255.
Error TooOld(Octets& octets, std::uint8_t usage) {
  if (usage == kCfbChecksum) {
    octets.U8();  // the cipher
    if (auto s2k = ReadS2k(octets); !s2k) return std::move(s2k).error();
  }
  return Error(Errc::kUnsupported,
               "OpenPGP secret key: it is protected in the way of before 2007 (usage " +
                   std::to_string(usage) +
                   "), which shows neither damage nor a wrong passphrase reliably; change its "
                   "passphrase with GnuPG (`gpg --passwd`) and export it again");
}

Bytes Sha1Of(BytesView bytes) {
  Digest digest(DigestKind::kSha1);
  digest.Update(bytes);
  return digest.Finish();
}

// Section 5.5.3: the sum of all octets, modulo 65536.
Bytes Checksum(BytesView bytes) {
  std::size_t sum = 0;
  for (const char c : bytes) sum += static_cast<unsigned char>(c);
  Bytes out;
  AppendU16(out, sum & 0xFFFF);
  return out;
}

// The seed in the clear form of its algorithm. GnuPG counts the bits of a seed that begins with
// zeros as if it did not, so this number is not held to its exact length; the public key tells in
// the end.
Expected<Wiped> SeedIn(BytesView numbers, std::uint8_t algorithm) {
  Octets octets(numbers);
  BytesView seed;
  if (algorithm == static_cast<std::uint8_t>(KeyAlgorithm::kEd25519)) {
    seed = octets.Take(kSeedBytes);
  } else {
    seed = octets.Take((octets.U16() + std::size_t{7}) / 8);
  }
  if (!octets.AtEnd() || seed.size() > kSeedBytes) {
    return Malformed("its secret has another size than one of Ed25519");
  }
  return Wiped(LeftPadded(seed, kSeedBytes));
}

// The fields between the usage octet and what is encrypted. Version 6 counts them, and the S2K
// specifier among them, with an octet each.
struct Protection {
  std::uint8_t cipher = 0;
  std::uint8_t aead = 0;
  std::size_t key_bytes = 0;
  S2k s2k;
  BytesView initial;  // or nonce
};
Expected<Protection> ReadProtection(Octets& octets, std::uint8_t usage, std::uint8_t version) {
  Protection protection;
  const std::size_t size = version == 6 ? octets.U8() : 0;
  const std::size_t before = octets.left();
  protection.cipher = octets.U8();
  if (usage == kAead) protection.aead = octets.U8();
  const std::size_t s2k_size = version == 6 ? octets.U8() : 0;
  const std::size_t before_s2k = octets.left();
  // First, because a secret that is not in the file names a cipher of no meaning.
  auto s2k = ReadS2k(octets);
  if (!s2k) return std::move(s2k).error();
  if (version == 6 && before_s2k - octets.left() != s2k_size) {
    return Malformed("its passphrase fields have another size than it says");
  }
  protection.s2k = std::move(*s2k);
  const auto key_bytes = CipherKeyBytes(protection.cipher);
  if (!key_bytes) return key_bytes.error();
  protection.key_bytes = *key_bytes;
  std::size_t initial_bytes = kAesBlockBytes;
  if (usage == kAead) {
    const auto nonce_bytes = AeadNonceBytes(protection.aead);
    if (!nonce_bytes) return nonce_bytes.error();
    initial_bytes = *nonce_bytes;
  } else if (protection.s2k.type == S2k::Type::kArgon2) {
    return Malformed("Argon2 is only for AEAD");  // section 3.7.2.1
  }
  protection.initial = octets.Take(initial_bytes);
  if (!octets.ok() || (version == 6 && before - octets.left() != size)) {
    return Malformed("its protection fields have another size than it says");
  }
  return protection;
}

Expected<Wiped> OpenCfb(const Protection& protection, BytesView key, BytesView encrypted) {
  Wiped clear = Cfb(CfbWay::kDecrypt, protection.cipher, key, protection.initial, encrypted);
  if (clear.bytes.size() < kSha1Bytes) return Malformed("it ends too early");
  const std::size_t size = clear.bytes.size() - kSha1Bytes;
  const BytesView all(clear.bytes);
  if (Sha1Of(all.substr(0, size)) != all.substr(size)) return WrongPassphrase();
  clear.bytes.resize(size);
  return clear;
}

}  // namespace

LockedKey::LockedKey(const KeyPacket& key)
    : packet_header_(static_cast<std::uint8_t>(
          0xC0u | static_cast<unsigned>(key.is_subkey ? PacketType::kSecretSubkey
                                                      : PacketType::kSecretKey))),
      version_(key.version),
      algorithm_(key.algorithm),
      public_part_(key.public_part),
      why_not_(key.why_not),
      secret_part_(Bytes(key.secret_part)) {
  assert(key.has_secret);
  if (key.material && key.material->Ed25519() != nullptr) public_key_ = *key.material->Ed25519();
}

bool LockedKey::NeedsPassphrase() const {
  return !secret_part_.bytes.empty() && secret_part_.bytes.front() != kInClear;
}

Expected<SecretKey> LockedKey::Open(std::string_view passphrase) const {
  if (!public_key_) {
    return Error(Errc::kUnsupported,
                 "OpenPGP secret key: " +
                     (why_not_.empty() ? "it is RSA; only Ed25519 secrets are imported, RSA keys "
                                         "sign through gpg-agent"
                                       : why_not_));
  }
  Octets octets(secret_part_.bytes);
  const std::uint8_t usage = octets.U8();
  Expected<Wiped> clear = Malformed("it ends too early");
  if (usage == kInClear) {
    const std::size_t sum_bytes = version_ == 6 ? 0 : kChecksumBytes;
    if (octets.left() < sum_bytes) return std::move(clear).error();
    clear = Wiped(Bytes(octets.Take(octets.left() - sum_bytes)));
    if (version_ != 6 && Checksum(clear->bytes) != octets.Rest()) {
      return Malformed("its checksum is wrong: the file was damaged");
    }
  } else if (usage == kCfbSha1 || usage == kAead) {
    const auto protection = ReadProtection(octets, usage, version_);
    if (!protection) return protection.error();
    const auto derived = DeriveKey(protection->s2k, passphrase, protection->key_bytes);
    if (!derived) return derived.error();
    const BytesView encrypted = octets.Rest();
    if (usage == kCfbSha1) {
      clear = OpenCfb(*protection, derived->bytes, encrypted);
    } else {
      Bytes info;
      for (const std::uint8_t octet :
           {packet_header_, version_, protection->cipher, protection->aead}) {
        info += static_cast<char>(octet);
      }
      const Wiped key = Hkdf(derived->bytes, info, protection->key_bytes);
      auto opened = OpenAead(protection->cipher, protection->aead, key.bytes, protection->initial,
                             info.substr(0, 1) + public_part_, encrypted);
      if (!opened) return WrongPassphrase();
      clear = std::move(*opened);
    }
  } else {
    return TooOld(octets, usage);
  }
  if (!clear) return std::move(clear).error();
  const auto seed = SeedIn(clear->bytes, algorithm_);
  if (!seed) return seed.error();
  auto secret = SecretKey::FromSeed(seed->bytes);
  if (secret && secret->public_key() != *public_key_) {
    return Error(Errc::kDenied, "OpenPGP secret key: it does not belong to its public key");
  }
  return secret;
}

Expected<Wiped> SecretPartV4(const SecretKey& key, std::string_view passphrase) {
  const Wiped seed(key.Seed());
  Wiped clear{Bytes()};
  clear.bytes.reserve(2 + kSeedBytes +
                      kSha1Bytes);  // one buffer: growing would leave a copy behind
  AppendMpi(clear.bytes, seed.bytes);
  Wiped out{Bytes()};
  out.bytes.reserve(128);
  if (passphrase.empty()) {
    out.bytes += static_cast<char>(kInClear);
    out.bytes += clear.bytes;
    out.bytes += Checksum(clear.bytes);
    return out;
  }
  S2k s2k;
  s2k.type = S2k::Type::kIterated;
  s2k.salt = RandomBytes(8);
  s2k.coded_count = kCodedCount;
  const auto derived = DeriveKey(s2k, passphrase, *CipherKeyBytes(kAes256));
  if (!derived) return derived.error();
  const Bytes initial = RandomBytes(kAesBlockBytes);
  clear.bytes += Sha1Of(clear.bytes);
  const Wiped encrypted = Cfb(CfbWay::kEncrypt, kAes256, derived->bytes, initial, clear.bytes);
  out.bytes += static_cast<char>(kCfbSha1);
  out.bytes += static_cast<char>(kAes256);
  AppendS2k(out.bytes, s2k);
  out.bytes += initial;
  out.bytes += encrypted.bytes;
  return out;
}

}  // namespace mig::openpgp
