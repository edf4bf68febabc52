// The secret half of an OpenPGP key packet, and how a passphrase opens it (RFC 9580 section 5.5.3).
// Only Ed25519 is opened: people's RSA keys sign where they are.
#pragma once

#include <string_view>

#include "crypto/openpgp_public_key.h"
#include "crypto/wiped.h"

namespace mig::openpgp {

// A copy of one secret key packet, wiped when it goes away. Move-only.
class LockedKey {
 public:
  // Requires: key.has_secret.
  explicit LockedKey(const KeyPacket& key);

  bool NeedsPassphrase() const;

  // Reads secrets in clear, and those under a passphrase as GnuPG 2.2 and Sequoia write them (usage
  // 254: AES in CFB, checked with SHA-1) and as RFC 9580 does (253: AES in OCB or GCM). A
  // passphrase that is not needed is ignored. Errors: kDenied: wrong passphrase, an altered packet,
  // or a secret of another public key; kMalformed; kUnsupported: not Ed25519, the protections of
  // before 2007 (255 and lower), or no secret in the file (on a card, gnu-dummy); kInvalid, kFull:
  // see ReadS2k, DeriveKey.
  Expected<SecretKey> Open(std::string_view passphrase) const;

 private:
  std::uint8_t packet_header_;  // as a new-format header writes the packet's type
  std::uint8_t version_;
  std::uint8_t algorithm_;
  Bytes public_part_;
  std::optional<PublicKey> public_key_;  // none: not Ed25519
  std::string why_not_;
  Wiped secret_part_;
};

// What follows the public part of a version 4 EdDSALegacy secret key packet: in clear when
// `passphrase` is empty, else under AES-256 in CFB, with SHA-1 inside and iterated SHA-256 (usage
// 254: what GnuPG from 2.1 and every other program reads). Error: as DeriveKey.
Expected<Wiped> SecretPartV4(const SecretKey& key, std::string_view passphrase);

}  // namespace mig::openpgp
