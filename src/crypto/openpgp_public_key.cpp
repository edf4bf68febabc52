#include "crypto/openpgp_public_key.h"

#include <array>
#include <cassert>
#include <utility>

#include "crypto/digest.h"
#include "util/encoding.h"

namespace mig::openpgp {
namespace {

// RFC 9580 section 9.2, table 20: Ed25519Legacy.
constexpr std::string_view kEd25519LegacyOid = "\x2B\x06\x01\x04\x01\xDA\x47\x0F\x01";
// Section 11.2.1: an Ed25519Legacy point is the 32 native octets behind this one.
constexpr char kNativePoint = 0x40;
constexpr std::size_t kHalf = 32;  // of an Ed25519 signature: R, then S

Error Malformed(const std::string& why) { return Error(Errc::kMalformed, "OpenPGP key: " + why); }
Error BadSignature() {
  return Error(Errc::kDenied,
               "OpenPGP signature: not by this key, or what was signed has changed since");
}
Error OtherAlgorithm(const SignaturePacket& signature, std::string_view key_type) {
  return Error(Errc::kUnsupported, "OpenPGP signature: algorithm " +
                                       std::to_string(signature.algorithm) + " (version " +
                                       std::to_string(signature.version) + ") is not one of an " +
                                       std::string(key_type) + " key");
}

// The raw 64 bytes, from either form. Error: kMalformed, kUnsupported.
Expected<Bytes> RawEd25519(const SignaturePacket& signature) {
  Octets octets(signature.values);
  if (signature.algorithm == static_cast<std::uint8_t>(KeyAlgorithm::kEd25519)) {
    const BytesView raw = octets.Take(2 * kHalf);  // section 5.2.3.4
    if (!octets.AtEnd()) return Malformed("an Ed25519 signature has 64 bytes");
    return Bytes(raw);
  }
  // Section 5.2.3.3: EdDSALegacy must not appear in version 6. R and S are native octets, written
  // as numbers: zeros in front are gone.
  if (signature.algorithm != static_cast<std::uint8_t>(KeyAlgorithm::kEdDsaLegacy) ||
      signature.version != 4) {
    return OtherAlgorithm(signature, "Ed25519");
  }
  const BytesView r = octets.Mpi();
  const BytesView s = octets.Mpi();
  if (!octets.AtEnd() || r.size() > kHalf || s.size() > kHalf) {
    return Malformed("an EdDSA signature is two numbers of at most 32 bytes");
  }
  return LeftPadded(r, kHalf) + LeftPadded(s, kHalf);
}

Expected<Bytes> RsaValue(const SignaturePacket& signature, std::size_t size) {
  if (signature.algorithm != static_cast<std::uint8_t>(KeyAlgorithm::kRsa)) {
    return OtherAlgorithm(signature, "RSA");
  }
  Octets octets(signature.values);
  const BytesView number = octets.Mpi();  // section 5.2.3.1
  if (!octets.AtEnd() || number.size() > size) {
    return Malformed("an RSA signature is one number, not longer than the key's");
  }
  return LeftPadded(number, size);
}

// Section 5.5.5.5. Empty: not the curve.
std::optional<PublicKey> EdDsaLegacyKey(Octets& octets, std::string& why_not) {
  const BytesView oid = octets.Take(octets.U8());
  const BytesView point = octets.Mpi();
  if (oid != kEd25519LegacyOid) {
    why_not = "its curve is not Ed25519";
    return std::nullopt;
  }
  if (point.size() != PublicKey::kBytes + 1 || point.front() != kNativePoint) {
    why_not = "its point is not in the native form of Ed25519";
    return std::nullopt;
  }
  return *PublicKey::FromBytes(point.substr(1));
}

// RFC 9580 section 9.1, table 19.
std::string NameOfAlgorithm(std::uint8_t algorithm) {
  switch (algorithm) {
    case 1:
      return "RSA";
    case 2:
    case 16:
    case 18:
    case 25:
    case 26:
      return "an algorithm for encryption";
    case 3:
      return "RSA for signing only (algorithm 3, deprecated)";
    case 17:
      return "DSA";
    case 19:
      return "ECDSA";
    case 22:
      return "EdDSA";
    case 27:
      return "Ed25519";
    case 28:
      return "Ed448";
    default:
      return "algorithm " + std::to_string(algorithm);
  }
}

// Takes the public numbers where we can use them, and steps over them elsewhere, so that a secret
// part can be told from a public one.
void ReadMaterial(Octets& octets, KeyPacket& key) {
  switch (key.algorithm) {
    case static_cast<std::uint8_t>(KeyAlgorithm::kRsa):
    case 2:
    case 3: {
      const BytesView modulus = octets.Mpi();
      const BytesView exponent = octets.Mpi();
      if (key.algorithm != static_cast<std::uint8_t>(KeyAlgorithm::kRsa)) break;
      if (auto voucher =
              RsaPublicKey::FromNumbers(modulus, exponent, RsaPublicKey::kMinVouchingBits)) {
        key.voucher.emplace(std::move(*voucher));
      }
      auto rsa = RsaPublicKey::FromNumbers(modulus, exponent);
      if (rsa) {
        key.material.emplace(std::move(*rsa));
      } else {
        key.why_not = rsa.error().message();
      }
      return;
    }
    case 16:  // Elgamal: p, g, y
      for (int i = 0; i < 3; ++i) octets.Mpi();
      break;
    case 17:  // DSA: p, q, g, y
      for (int i = 0; i < 4; ++i) octets.Mpi();
      break;
    case 18:  // ECDH: curve, point, key derivation
      octets.Take(octets.U8());
      octets.Mpi();
      octets.Take(octets.U8());
      break;
    case 19:  // ECDSA: curve, point
      octets.Take(octets.U8());
      octets.Mpi();
      break;
    case static_cast<std::uint8_t>(KeyAlgorithm::kEdDsaLegacy): {
      const auto found = EdDsaLegacyKey(octets, key.why_not);
      if (found && key.version == 4) key.material.emplace(*found);
      if (found && key.version != 4) key.why_not = "EdDSA of version 4 in a key of version 6";
      return;
    }
    case static_cast<std::uint8_t>(KeyAlgorithm::kEd25519): {
      const auto found = PublicKey::FromBytes(octets.Take(PublicKey::kBytes));
      if (found) key.material.emplace(*found);
      return;
    }
    case 25:
      octets.Take(32);
      break;
    case 26:
      octets.Take(56);
      break;
    case 28:
      octets.Take(57);
      break;
    default:
      // Nobody knows where its secret begins; with a version 6 key its length says so.
      octets.Rest();
  }
  key.why_not =
      "it is " + NameOfAlgorithm(key.algorithm) + "; Ed25519 and RSA from 3072 bits sign here";
}

}  // namespace

Expected<SigningMaterial> SigningMaterial::From(std::string_view type, BytesView material) {
  if (type == "ed25519") {
    const auto key = PublicKey::FromBytes(material);
    if (!key) return key.error();
    return SigningMaterial(*key);
  }
  if (type == "rsa") {
    auto key = RsaPublicKey::FromDer(material);
    if (!key) return std::move(key).error();
    return SigningMaterial(std::move(*key));
  }
  return Error(Errc::kUnsupported, "OpenPGP signature: keys of this type make none");
}

std::string_view SigningMaterial::Type() const { return Ed25519() != nullptr ? "ed25519" : "rsa"; }

Bytes SigningMaterial::Material() const {
  return Ed25519() != nullptr ? Bytes(Ed25519()->View()) : Rsa()->Der();
}

Expected<void> VerifyBy(const SigningMaterial& key, const SignaturePacket& signature,
                        std::initializer_list<BytesView> parts, Sha1 sha1) {
  const auto value = key.Ed25519() != nullptr ? RawEd25519(signature)
                                              : RsaValue(signature, key.Rsa()->ModulusBytes());
  if (!value) return value.error();
  const auto digest = DigestFor(signature, parts, sha1);
  if (!digest) return digest.error();
  if (BytesView(digest->bytes).substr(0, 2) != signature.left16) return BadSignature();
  const bool good = key.Ed25519() != nullptr
                        ? key.Ed25519()->Verify(digest->bytes, *value)
                        : key.Rsa()->VerifyPkcs1(digest->kind, digest->bytes, *value);
  if (!good) return BadSignature();
  return {};
}

void AppendEdDsaLegacyValues(Bytes& out, BytesView raw_signature) {
  assert(raw_signature.size() == 2 * kHalf);
  AppendMpi(out, raw_signature.substr(0, kHalf));
  AppendMpi(out, raw_signature.substr(kHalf));
}

Expected<KeyPacket> ReadKey(const Packet& packet) {
  KeyPacket key;
  key.is_subkey =
      packet.type == PacketType::kPublicSubkey || packet.type == PacketType::kSecretSubkey;
  key.has_secret =
      packet.type == PacketType::kSecretKey || packet.type == PacketType::kSecretSubkey;
  Octets octets(packet.body);
  key.version = octets.U8();
  if (octets.ok() && key.version != 4 && key.version != 6) {
    return Error(Errc::kUnsupported,
                 "OpenPGP key: version " + std::to_string(key.version) + "; 4 and 6 are read");
  }
  key.created = octets.U32();
  key.algorithm = octets.U8();
  if (key.version == 6) {
    const std::size_t size = octets.U32();
    const std::size_t before = octets.left();
    Octets numbers(octets.Take(size));
    ReadMaterial(numbers, key);
    if (!octets.ok() || before < size || !numbers.AtEnd()) {
      return Malformed("its numbers have another size than it says");
    }
  } else {
    ReadMaterial(octets, key);
    if (!octets.ok()) return Malformed("it ends too early");
  }
  key.public_part = packet.body.substr(0, packet.body.size() - octets.left());
  key.secret_part = octets.Rest();
  if (key.material) key.voucher = key.material;
  // Signatures over version 4 keys count them with two octets.
  if (key.public_part.size() > 0xFFFF) return Malformed("it is longer than any");
  if (!key.has_secret && !key.secret_part.empty()) return Malformed("something follows the key");
  return key;
}

Bytes HashedForm(const KeyPacket& key) {
  Bytes out;
  if (key.version == 6) {
    out += static_cast<char>(0x9B);
    AppendU32(out, key.public_part.size());
  } else {
    out += static_cast<char>(0x99);
    AppendU16(out, key.public_part.size());
  }
  return out.append(key.public_part);
}

Bytes FingerprintOf(const KeyPacket& key) {
  Digest digest(key.version == 6 ? DigestKind::kSha256 : DigestKind::kSha1);
  digest.Update(HashedForm(key));
  return digest.Finish();
}

std::string FingerprintText(const KeyPacket& key) {
  std::string hex = EncodeHex(FingerprintOf(key));
  for (char& c : hex) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }
  return hex;
}

Bytes KeyIdOf(const KeyPacket& key) {
  const Bytes fingerprint = FingerprintOf(key);
  return key.version == 6 ? fingerprint.substr(0, 8) : fingerprint.substr(fingerprint.size() - 8);
}

Bytes PublicKeyBodyV4(const PublicKey& key, std::uint32_t created) {
  Bytes out(1, '\x04');
  AppendU32(out, created);
  out += static_cast<char>(KeyAlgorithm::kEdDsaLegacy);
  out += static_cast<char>(kEd25519LegacyOid.size());
  out += kEd25519LegacyOid;
  AppendMpi(out, Bytes(1, kNativePoint).append(key.View()));
  return out;
}

}  // namespace mig::openpgp
