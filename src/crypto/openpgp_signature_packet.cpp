#include "crypto/openpgp_signature_packet.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>
#include <utility>

#include "crypto/openpgp_packet.h"

namespace mig::openpgp {
namespace {

// RFC 9580 section 5.2.3.7, table 5.
enum Subpacket : std::uint8_t {
  kCreated = 2,
  kLifetime = 3,
  kKeyLifetime = 9,
  kRevocationKey = 12,
  kIssuerKeyId = 16,
  kPrimaryUserId = 25,
  kKeyFlags = 27,
  kRevocationReason = 29,
  kEmbedded = 32,
  kIssuerFingerprint = 33,
};

// The types that may be marked critical: those above, and preferences and notes that say nothing
// about whether a signature holds: exportable (4), revocable (7), preferred ciphers (11), hashes
// (21) and compression (22), key server preferences (23, 24), policy URI (26), signer's user id
// (28), features (30), preferred AEAD ciphersuites (39). Not among them, because they restrict what
// the signature means and nobody here evaluates that: trust (5, 6), notations (20), target (31),
// intended recipient (35), and everything unknown.
constexpr std::array<std::uint8_t, 21> kUnderstood = {2,  3,  4,  7,  9,  11, 12, 16, 21, 22, 23,
                                                      24, 25, 26, 27, 28, 29, 30, 32, 33, 39};

constexpr std::uint8_t kCriticalBit = 0x80;
constexpr std::size_t kMaxSubpackets = 256;  // GnuPG and Sequoia write about ten
constexpr std::size_t kKeyIdBytes = 8;

struct HashAlgorithm {
  std::uint8_t number;
  std::string_view name;
  std::size_t v6_salt_bytes;  // 0: never for us
  DigestKind kind;            // where v6_salt_bytes is not 0, and for SHA-1
};
// Section 9.5, table 23.
constexpr std::array<HashAlgorithm, 9> kHashes = {{
    {1, "MD5", 0, DigestKind::kMd5},
    {2, "SHA-1", 0, DigestKind::kSha1},
    {3, "RIPEMD-160", 0, DigestKind::kMd5},
    {8, "SHA-256", 16, DigestKind::kSha256},
    {9, "SHA-384", 24, DigestKind::kSha384},
    {10, "SHA-512", 32, DigestKind::kSha512},
    {11, "SHA-224", 0, DigestKind::kSha256},
    {12, "SHA3-256", 0, DigestKind::kSha3_256},
    {14, "SHA3-512", 0, DigestKind::kSha3_512},
}};
constexpr std::uint8_t kSha1Number = 2;
constexpr std::uint8_t kSha512Number = 10;

const HashAlgorithm* FindHash(std::uint8_t number) {
  const auto it = std::find_if(kHashes.begin(), kHashes.end(),
                               [&](const HashAlgorithm& h) { return h.number == number; });
  return it == kHashes.end() ? nullptr : &*it;
}

Error Malformed(const std::string& why) {
  return Error(Errc::kMalformed, "OpenPGP signature: " + why);
}

// Section 5.2.3.7: the length covers the type octet.
std::size_t SubpacketLength(Octets& octets) {
  const std::uint8_t first = octets.U8();
  if (first < 192) return first;
  if (first < 255) return ((first - 192u) << 8) + octets.U8() + 192u;
  return octets.U32();
}

enum class Area { kHashed, kUnhashed };

class SubpacketReader {
 public:
  explicit SubpacketReader(SignaturePacket& packet) : packet_(packet) {}

  Expected<void> Read(BytesView area, Area which) {
    Octets octets(area);
    for (std::size_t count = 0; octets.left() != 0; ++count) {
      if (count == kMaxSubpackets) return Malformed("it has too many subpackets");
      const std::size_t length = SubpacketLength(octets);
      const std::uint8_t type = octets.U8();
      if (length == 0) return Malformed("a subpacket has no type");
      const BytesView data = octets.Take(length - 1);
      if (!octets.ok()) return Malformed("a subpacket is longer than its area");
      const auto number = static_cast<std::uint8_t>(type & ~kCriticalBit);
      if ((type & kCriticalBit) != 0 &&
          std::find(kUnderstood.begin(), kUnderstood.end(), number) == kUnderstood.end()) {
        return Error(Errc::kUnsupported, "OpenPGP signature: it depends on subpacket " +
                                             std::to_string(number) +
                                             " (critical), which is not evaluated here");
      }
      if (auto ok = which == Area::kHashed ? TakeHashed(number, data) : TakeHint(number, data);
          !ok) {
        return ok;
      }
    }
    return {};
  }

  bool has_created() const { return has_created_; }

 private:
  // What the signature covers. A field that stands twice has no one meaning (section 5.2.3.9 leaves
  // it to the reader), so it is refused.
  Expected<void> TakeHashed(std::uint8_t type, BytesView data) {
    Octets octets(data);
    bool twice = false;
    switch (type) {
      case kCreated:
        twice = std::exchange(has_created_, true);
        packet_.created = octets.U32();
        break;
      case kLifetime:
        twice = std::exchange(has_lifetime_, true);
        packet_.lifetime = octets.U32();
        break;
      case kKeyLifetime:
        twice = packet_.key_lifetime.has_value();
        packet_.key_lifetime = octets.U32();
        break;
      case kRevocationKey:
        packet_.names_revoker = true;
        return {};
      case kPrimaryUserId:
        twice = std::exchange(has_primary_, true);
        packet_.is_primary_user_id = octets.U8() != 0;
        break;
      case kKeyFlags:
        // Zero octets are legal and permit nothing.
        twice = packet_.key_flags.has_value();
        packet_.key_flags = data.empty() ? std::uint8_t{0} : octets.U8();
        octets.Rest();
        break;
      case kRevocationReason:
        twice = packet_.revocation_code.has_value();
        packet_.revocation_code = octets.U8();
        octets.Rest();
        break;
      default:
        return TakeHint(type, data);
    }
    if (twice) return Malformed("subpacket " + std::to_string(type) + " stands twice");
    if (!octets.AtEnd()) {
      return Malformed("subpacket " + std::to_string(type) + " has another size than it should");
    }
    return {};
  }

  // What helps to find the key or vouches for itself, wherever it stands.
  Expected<void> TakeHint(std::uint8_t type, BytesView data) {
    if (type == kEmbedded && packet_.embedded.empty()) packet_.embedded = data;
    if (type == kIssuerKeyId) {
      if (data.size() != kKeyIdBytes) return Malformed("the issuer's key id has not 8 bytes");
      packet_.issuer_key_id = data;
    }
    if (type == kIssuerFingerprint) {
      // One octet of version before it.
      const std::size_t wanted = packet_.version == 6 ? 33 : 21;
      if (data.size() != wanted || static_cast<std::uint8_t>(data.front()) != packet_.version) {
        return Malformed("the issuer's fingerprint is not one of this version");
      }
      packet_.issuer_fingerprint = data.substr(1);
    }
    return {};
  }

  SignaturePacket& packet_;
  bool has_created_ = false;
  bool has_lifetime_ = false;
  bool has_primary_ = false;
};

}  // namespace

Expected<SignaturePacket> ReadSignature(BytesView body) {
  SignaturePacket packet;
  Octets octets(body);
  packet.version = octets.U8();
  if (octets.ok() && packet.version != 4 && packet.version != 6) {
    return Error(Errc::kUnsupported, "OpenPGP signature: version " +
                                         std::to_string(packet.version) + "; 4 and 6 are read");
  }
  packet.type = static_cast<SignatureType>(octets.U8());
  packet.algorithm = octets.U8();
  packet.hash = octets.U8();
  const auto area_size = [&] {
    return packet.version == 6 ? std::size_t{octets.U32()} : std::size_t{octets.U16()};
  };
  const BytesView hashed = octets.Take(area_size());
  packet.covered = body.substr(0, body.size() - octets.left());
  const BytesView unhashed = octets.Take(area_size());
  packet.left16 = octets.Take(2);
  if (packet.version == 6) packet.salt = octets.Take(octets.U8());
  packet.values = octets.Rest();
  if (!octets.ok()) return Malformed("it ends too early");
  SubpacketReader reader(packet);
  if (auto ok = reader.Read(hashed, Area::kHashed); !ok) return std::move(ok).error();
  if (auto ok = reader.Read(unhashed, Area::kUnhashed); !ok) return std::move(ok).error();
  if (!reader.has_created()) return Malformed("it does not say when it was made");
  return packet;
}

Expected<SignedDigest> DigestFor(const SignaturePacket& signature,
                                 std::initializer_list<BytesView> parts, Sha1 sha1) {
  const HashAlgorithm* const hash = FindHash(signature.hash);
  const bool accepted =
      hash != nullptr &&
      (hash->v6_salt_bytes != 0 ||
       (hash->number == kSha1Number && sha1 == Sha1::kAccepted && signature.version == 4));
  if (!accepted) {
    return Error(Errc::kUnsupported, "OpenPGP signature: made with " + HashName(signature.hash) +
                                         "; SHA-256, SHA-384 and SHA-512 are accepted");
  }
  if (signature.version == 6 && signature.salt.size() != hash->v6_salt_bytes) {
    return Malformed("its salt has not the size that " + std::string(hash->name) + " demands");
  }
  Digest digest(hash->kind);
  digest.Update(signature.salt);
  for (const BytesView part : parts) digest.Update(part);
  digest.Update(signature.covered);
  Bytes trailer;
  trailer += static_cast<char>(signature.version);
  trailer += static_cast<char>(0xFF);
  AppendU32(trailer, signature.covered.size());
  digest.Update(trailer);
  return SignedDigest{hash->kind, digest.Finish()};
}

std::string HashName(std::uint8_t hash) {
  const HashAlgorithm* const known = FindHash(hash);
  return known != nullptr ? std::string(known->name) : "hash algorithm " + std::to_string(hash);
}

Bytes CoveredV4(SignatureType type, KeyAlgorithm algorithm, BytesView hashed_subpackets) {
  Bytes out;
  out += '\x04';
  out += static_cast<char>(type);
  out += static_cast<char>(algorithm);
  out += static_cast<char>(kSha512Number);
  AppendU16(out, hashed_subpackets.size());
  return out.append(hashed_subpackets);
}

void AppendSubpacket(Bytes& out, std::uint8_t type, BytesView data) {
  assert(data.size() < 191 && "only the one-octet length is written");
  out += static_cast<char>(data.size() + 1);
  out += static_cast<char>(type);
  out += data;
}

}  // namespace mig::openpgp
