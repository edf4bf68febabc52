#include "crypto/openpgp_export.h"

#include <chrono>

#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_public_key.h"
#include "crypto/openpgp_secret_key.h"
#include "crypto/openpgp_signature_packet.h"

namespace mig::openpgp {
namespace {

Expected<std::uint32_t> Seconds(UtcTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  if (seconds < 0 || seconds > 0xFFFF'FFFFLL) {
    return Error(Errc::kInvalid, "OpenPGP has no way to write the time " + FormatRfc3339(time));
  }
  return static_cast<std::uint32_t>(seconds);
}

// The key as its packet's fields say it. The packet's views are into `body`.
struct PublicHalfV4 {
  Bytes body;
  KeyPacket packet;

  static Expected<PublicHalfV4> Of(const KeyFile& file) {
    const auto created = Seconds(file.created);
    if (!created) return created.error();
    return PublicHalfV4(PublicKeyBodyV4(file.secret.public_key(), *created), *created);
  }
  PublicHalfV4(Bytes b, std::uint32_t created) : body(std::move(b)) { Look(created); }
  PublicHalfV4(PublicHalfV4&& other) noexcept : body(std::move(other.body)) {
    Look(other.packet.created);
  }
  PublicHalfV4& operator=(PublicHalfV4&&) = delete;

 private:
  void Look(std::uint32_t created) {
    packet.version = 4;
    packet.created = created;
    packet.algorithm = static_cast<std::uint8_t>(KeyAlgorithm::kEdDsaLegacy);
    packet.public_part = body;
  }
};

// RFC 9580 section 5.2.3.7; which signature has which is section 5.2.3.10.
Bytes TimeAndIssuer(const KeyPacket& key, std::uint32_t time) {
  Bytes out;
  AppendSubpacket(out, 33, Bytes(1, '\x04') + FingerprintOf(key));
  Bytes seconds;
  AppendU32(seconds, time);
  AppendSubpacket(out, 2, seconds);
  return out;
}

Expected<Bytes> SignatureBody(const SecretKey& secret, const KeyPacket& key, SignatureType type,
                              BytesView hashed_subpackets, std::initializer_list<BytesView> parts) {
  SignaturePacket fields;
  const Bytes covered = CoveredV4(type, KeyAlgorithm::kEdDsaLegacy, hashed_subpackets);
  fields.version = 4;
  fields.hash = static_cast<std::uint8_t>(covered[3]);
  fields.covered = covered;
  const auto digest = DigestFor(fields, parts, Sha1::kRefused);
  if (!digest) return digest.error();
  Bytes body = covered;
  // Programs older than subpacket 33 find the key by its id (section 5.2.3.12).
  Bytes unhashed;
  AppendSubpacket(unhashed, 16, KeyIdOf(key));
  AppendU16(body, unhashed.size());
  body += unhashed;
  body += digest->bytes.substr(0, 2);
  AppendEdDsaLegacyValues(body, secret.Sign(digest->bytes));
  return body;
}

// What follows the key packet: user id and self-signature.
Expected<Bytes> UserIdPackets(const KeyFile& file, const KeyPacket& key) {
  Bytes hashed = TimeAndIssuer(key, key.created);
  AppendSubpacket(hashed, 27, Bytes(1, static_cast<char>(kMayCertify | kMaySign)));
  AppendSubpacket(hashed, 25, "\x01");          // the primary user id
  AppendSubpacket(hashed, 11, "\x09\x08\x07");  // AES, should somebody add a subkey to encrypt to
  AppendSubpacket(hashed, 21, "\x0A\x09\x08");  // SHA-512, SHA-384, SHA-256
  AppendSubpacket(hashed, 22, "\x02\x01");      // ZLIB, ZIP
  AppendSubpacket(hashed, 30, "\x01");          // features: encryption protected against changes
  AppendSubpacket(hashed, 23, "\x80");          // key servers: only the owner changes it
  Bytes user_id_header(1, static_cast<char>(0xB4));  // section 5.2.4
  AppendU32(user_id_header, file.name.size());
  const auto body = SignatureBody(file.secret, key, SignatureType::kPositiveCertification, hashed,
                                  {HashedForm(key), user_id_header, file.name});
  if (!body) return body.error();
  Bytes out;
  AppendPacket(out, PacketType::kUserId, file.name);
  AppendPacket(out, PacketType::kSignature, *body);
  return out;
}

}  // namespace

Expected<std::string> ExportPublic(const KeyFile& file) {
  const auto key = PublicHalfV4::Of(file);
  if (!key) return key.error();
  const auto user_id = UserIdPackets(file, key->packet);
  if (!user_id) return user_id.error();
  Bytes out;
  AppendPacket(out, PacketType::kPublicKey, key->body);
  return WriteArmor(ArmorKind::kPublicKey, out + *user_id);
}

Expected<Wiped> ExportSecret(const KeyFile& file, std::string_view passphrase) {
  const auto key = PublicHalfV4::Of(file);
  if (!key) return key.error();
  const auto user_id = UserIdPackets(file, key->packet);
  if (!user_id) return user_id.error();
  const auto secret = SecretPartV4(file.secret, passphrase);
  if (!secret) return secret.error();
  const Wiped body(key->body + secret->bytes);
  Wiped out{Bytes()};
  out.bytes.reserve(body.bytes.size() + user_id->size() + 16);
  AppendPacket(out.bytes, PacketType::kSecretKey, body.bytes);
  out.bytes += *user_id;
  return Wiped(WriteArmor(ArmorKind::kPrivateKey, out.bytes));
}

Expected<std::string> FingerprintV4(const KeyFile& file) {
  const auto key = PublicHalfV4::Of(file);
  if (!key) return key.error();
  return FingerprintText(key->packet);
}

Expected<Bytes> SignDetached(const KeyFile& file, BytesView message, UtcTime now) {
  const auto key = PublicHalfV4::Of(file);
  if (!key) return key.error();
  const auto made = Seconds(now);
  if (!made) return made.error();
  const auto body = SignatureBody(file.secret, key->packet, SignatureType::kBinary,
                                  TimeAndIssuer(key->packet, *made), {message});
  if (!body) return body.error();
  Bytes out;
  AppendPacket(out, PacketType::kSignature, *body);
  return out;
}

}  // namespace mig::openpgp
