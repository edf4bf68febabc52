#include "crypto/openpgp_s2k.h"

#include <argon2.h>

#include <algorithm>
#include <bit>
#include <cassert>

namespace mig::openpgp {
namespace {

constexpr std::size_t kSaltBytes = 8;
constexpr std::size_t kArgon2SaltBytes = 16;
constexpr std::uint8_t kGnu = 101;
constexpr std::uint8_t kMaxPasses = 16;
constexpr std::uint8_t kMaxLanes = 16;
constexpr std::uint8_t kMaxMemoryLog2 = 21;

// RFC 9580 section 9.5. SHA-1 only here and in what depends on it: as a step from a passphrase to a
// key nobody needs its collisions, and GnuPG 2.2 writes it.
struct HashNumber {
  std::uint8_t number;
  DigestKind kind;
};
constexpr HashNumber kHashes[] = {{2, DigestKind::kSha1},
                                  {8, DigestKind::kSha256},
                                  {9, DigestKind::kSha384},
                                  {10, DigestKind::kSha512}};

Error Unsupported(const std::string& why) {
  return Error(Errc::kUnsupported, "OpenPGP secret key: " + why);
}

// GnuPG's extension: "GNU", then 1 for no secret at all, 2 for one on a card.
Error NotHere(Octets& octets) {
  octets.U8();  // a hash, without meaning here
  const BytesView mark = octets.Take(3);
  const std::uint8_t mode = octets.U8();
  if (mark == "GNU" && mode == 1) {
    return Unsupported(
        "the file has a placeholder instead of the secret (gnu-dummy), as `gpg "
        "--export-secret-subkeys` writes for the primary key: use one of its subkeys, or export "
        "where the secret is");
  }
  if (mark == "GNU" && mode == 2) {
    return Unsupported(
        "the secret is on a smart card and cannot be read: sign through gpg-agent instead");
  }
  return Unsupported("a private form of passphrase protection (type 101)");
}

Expected<DigestKind> ReadHash(std::uint8_t number) {
  const auto* const it = std::find_if(std::begin(kHashes), std::end(kHashes),
                                      [&](const HashNumber& h) { return h.number == number; });
  if (it == std::end(kHashes)) {
    return Unsupported("the passphrase is hashed with algorithm " + std::to_string(number) +
                       "; SHA-1 and SHA-2 are read");
  }
  return it->kind;
}

Expected<S2k> ReadArgon2(Octets& octets) {
  S2k s2k;
  s2k.type = S2k::Type::kArgon2;
  s2k.salt = octets.Take(kArgon2SaltBytes);
  s2k.passes = octets.U8();
  s2k.lanes = octets.U8();
  s2k.memory_log2 = octets.U8();
  if (!octets.ok()) return Error(Errc::kMalformed, "OpenPGP secret key: it ends too early");
  // Section 3.7.1.4: at least 8 KiB for each lane.
  if (s2k.passes == 0 || s2k.passes > kMaxPasses || s2k.lanes == 0 || s2k.lanes > kMaxLanes ||
      s2k.memory_log2 > kMaxMemoryLog2 || s2k.memory_log2 < 3 + std::bit_width(s2k.lanes - 1u)) {
    return Error(Errc::kInvalid,
                 "OpenPGP secret key: opening it would take " + std::to_string(s2k.passes) +
                     " passes of Argon2 over 2^" + std::to_string(s2k.memory_log2) + " KiB in " +
                     std::to_string(s2k.lanes) +
                     " lanes; 1 to 16 passes, 1 to 16 lanes and at most 2^21 KiB are accepted");
  }
  return s2k;
}

Expected<Wiped> Argon2(const S2k& s2k, std::string_view passphrase, std::size_t key_bytes) {
  Wiped key(key_bytes);
  // The library takes what it does not change by plain pointers.
  Wiped secret{Bytes(passphrase)};
  Bytes salt = s2k.salt;
  argon2_context context{};
  context.out = reinterpret_cast<std::uint8_t*>(key.bytes.data());
  context.outlen = static_cast<std::uint32_t>(key_bytes);
  context.pwd = reinterpret_cast<std::uint8_t*>(secret.bytes.data());
  context.pwdlen = static_cast<std::uint32_t>(secret.bytes.size());
  context.salt = reinterpret_cast<std::uint8_t*>(salt.data());
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.t_cost = s2k.passes;
  context.m_cost = std::uint32_t{1} << s2k.memory_log2;
  context.lanes = s2k.lanes;
  context.threads = 1;  // lanes are part of the result, threads are not
  context.version = ARGON2_VERSION_13;
  if (const int code = argon2id_ctx(&context); code != ARGON2_OK) {
    return Error(code == ARGON2_MEMORY_ALLOCATION_ERROR ? Errc::kFull : Errc::kInvalid,
                 "OpenPGP secret key: Argon2 over " + std::to_string(context.m_cost >> 10) +
                     " MiB: " + argon2_error_message(code));
  }
  return key;
}

// How many octets of salt and passphrase are hashed (section 3.7.1.3), at least all of them.
std::size_t HashedBytes(const S2k& s2k, std::size_t all) {
  if (s2k.type != S2k::Type::kIterated) return all;
  const std::size_t count = (16u + (s2k.coded_count & 15u)) << ((s2k.coded_count >> 4) + 6);
  return std::max(count, all);
}

}  // namespace

Expected<S2k> ReadS2k(Octets& octets) {
  S2k s2k;
  const std::uint8_t type = octets.U8();
  s2k.type = static_cast<S2k::Type>(type);
  if (type == kGnu) return NotHere(octets);
  if (s2k.type == S2k::Type::kArgon2) return ReadArgon2(octets);
  if (type != 0 && type != 1 && type != 3) {
    return Unsupported("passphrase protection of type " + std::to_string(type));
  }
  const auto hash = ReadHash(octets.U8());
  if (s2k.type != S2k::Type::kSimple) s2k.salt = octets.Take(kSaltBytes);
  if (s2k.type == S2k::Type::kIterated) s2k.coded_count = octets.U8();
  if (!octets.ok()) return Error(Errc::kMalformed, "OpenPGP secret key: it ends too early");
  if (!hash) return hash.error();
  s2k.hash = *hash;
  return s2k;
}

void AppendS2k(Bytes& out, const S2k& s2k) {
  assert(s2k.type == S2k::Type::kIterated && "the only type that we write");
  const auto* const it = std::find_if(std::begin(kHashes), std::end(kHashes),
                                      [&](const HashNumber& h) { return h.kind == s2k.hash; });
  out += static_cast<char>(s2k.type);
  out += static_cast<char>(it->number);
  out += s2k.salt;
  out += static_cast<char>(s2k.coded_count);
}

Expected<Wiped> DeriveKey(const S2k& s2k, std::string_view passphrase, std::size_t key_bytes) {
  if (s2k.type == S2k::Type::kArgon2) return Argon2(s2k, passphrase, key_bytes);
  Wiped once{Bytes()};
  once.bytes.reserve(s2k.salt.size() + passphrase.size());
  once.bytes.append(s2k.salt).append(passphrase);
  const std::size_t total = HashedBytes(s2k, once.bytes.size());
  Wiped key{Bytes()};
  key.bytes.reserve(key_bytes + DigestBytes(s2k.hash));
  // A key longer than the digest is several digests, each with one more zero in front.
  for (std::size_t zeros = 0; key.bytes.size() < key_bytes; ++zeros) {
    Digest digest(s2k.hash);
    digest.Update(Bytes(zeros, '\0'));
    for (std::size_t left = total; left != 0;) {
      const std::size_t size = std::min(left, once.bytes.size());
      digest.Update(BytesView(once.bytes).substr(0, size));
      left -= size;
    }
    const Wiped part(digest.Finish());
    key.bytes += part.bytes;
  }
  key.bytes.resize(key_bytes);
  return key;
}

}  // namespace mig::openpgp
