// What `gpg --with-colons --with-key-data --list-secret-keys` says of a person's keys (GnuPG's
// doc/DETAILS): which of them can sign for mig, and if not, why. Pure; cli/gpg.h runs the program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::cli {

// A primary key or a subkey.
struct GpgKey {
  std::string fingerprint;  // upper-case hex
  std::string primary;      // fingerprint of the primary key; for that itself its own
  std::string user_id;      // the first valid one, not escaped
  std::string algorithm;    // "ed25519", "rsa3072", or what gpg calls it
  char validity = '-';      // r revoked, e expired, d disabled, i invalid, else usable
  bool can_sign = false;    // by its own flags
  std::string token;        // "+" here, "#" the secret is not here, else a card's serial number
  Bytes point;              // of an Ed25519 key: 32 bytes, else empty
  Bytes modulus, exponent;  // of an RSA key, else empty

  bool on_card() const { return token.size() > 1; }
};

// Why mig cannot sign with it, in plain words; empty when it can.
std::string WhyUnusable(const GpgKey& key);

// Errors: kMalformed, when this is no such list.
Expected<std::vector<GpgKey>> ParseGpgListing(std::string_view text);

// The key that `id` means: a fingerprint (or its last 16 digits or more) of a key that signs, or of
// a primary key, or a part of the user id; then the primary key where that signs, else the newest
// usable subkey. Errors: kNotFound, kInvalid, saying what is there and why it will not do.
Expected<GpgKey> ChooseGpgKey(const std::vector<GpgKey>& keys, const std::string& id);

}  // namespace mig::cli
