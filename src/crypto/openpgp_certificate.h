// OpenPGP certificates ("keys" in everyday words): which of their keys may sign now, for whom, and
// why the others may not. RFC 9580 sections 10.1 and 10.2; versions 4 and 6, public and secret,
// armoured or binary. Every self-signature that counts is verified; signatures by other people mean
// nothing here, because a policy says who somebody is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/key_file.h"
#include "crypto/openpgp_public_key.h"
#include "crypto/openpgp_secret_key.h"
#include "util/clock.h"

namespace mig::openpgp {

struct CertificateKey {
  bool is_primary = false;
  std::string fingerprint;  // upper-case hex, as GnuPG prints it
  UtcTime created;
  std::optional<UtcTime> expires;           // none: never; a subkey also ends with its primary key
  std::optional<SigningMaterial> material;  // none: an algorithm or size that signs nothing here
  std::string why_not;                      // empty: it may sign now; else why not, in plain words
  std::optional<LockedKey> secret;          // where the file has secrets; may be a placeholder

  bool MaySign() const { return why_not.empty(); }
};

struct Certificate {
  // Verified and not revoked, the primary one first. Text from outside: UTF-8, but escape it before
  // a terminal. Empty where nobody is named, as version 6 permits.
  std::vector<std::string> user_ids;
  std::vector<CertificateKey> keys;  // the primary key first, then the subkeys in their order
  // Whether the algorithm and size of the primary key vouch for subkeys here: whether a new subkey
  // would help where none may sign.
  bool vouches = true;
};

// Reads all certificates of a file, at most kMaxCertificates of together kMaxArmorBytes.
// A key may sign if a valid self-signature gives it the flag "sign data" (section 5.2.3.29),
// neither it nor the primary key is revoked or expired at `now`, and, of a subkey, it signed in
// return (0x19).
//   - Of several self-signatures the newest counts that is not of the future and has not itself
//   expired.
//   - Version 4 keys take flags and expiry from their primary user id, else from a direct-key
//   signature;
//     version 6 keys the other way round (section 10.1).
//   - A revocation (0x20, 0x28) counts for ever, whatever its reason or date; of a user id (0x30)
//   until
//     a newer certification. One that cannot be checked (a designated revoker's, a hash that we do
//     not compute) also keeps its key from being used.
//   - An RSA primary key from 2048 bits may vouch for subkeys; to sign documents it needs 3072.
//   - SHA-1 in a self-signature vouches for nothing; in a revocation it counts.
// A certificate of which nothing can be used is no error: its keys say why.
// Errors: kMalformed: not OpenPGP, or broken; kUnsupported: something else than keys, or a primary
// key that is neither version 4 nor 6; kFull: too many packets, certificates or signatures.
Expected<std::vector<Certificate>> ReadCertificates(BytesView bytes, UtcTime now);
inline constexpr std::size_t kMaxCertificates = 64;

// The Ed25519 secret of one key of the certificate as a key file of ours: named by the first user
// id, created when the key was, so that its OpenPGP fingerprint stays. A key that may not sign is
// refused. Errors: kNotFound: the file has no secret of it; kDenied: it may not sign, or wrong
// passphrase; kInvalid: no user id that can name a key file; and as LockedKey::Open.
Expected<KeyFile> OpenSecret(const Certificate& certificate, const CertificateKey& key,
                             std::string_view passphrase);

}  // namespace mig::openpgp
