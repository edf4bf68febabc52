// Secret key files: an Ed25519 seed with its owner's name and creation time, under Argon2id and
// XChaCha20-Poly1305, or in clear when asked for explicitly. Text in, text out: whoever calls
// reads and writes the file (mode 0600). Format: wire.md, "Key file".
#pragma once

#include <string>

#include "crypto/ed25519.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

struct KeyFile {
  std::string name;  // "Full Name <mail>", or what an agent calls itself
  UtcTime created;   // stays with the key: an OpenPGP fingerprint depends on it
  SecretKey secret;
};

// What a key's owner may be called: UTF-8 on one line, 1..256 bytes, no control characters, no
// space at either end.
bool IsKeyName(std::string_view name);

// An empty passphrase writes the seed in clear, marked so. Interactive Argon2id limits
// (64 MiB, about 0.1 s); other limits in a file are honoured up to 1 GiB.
// Errors: kInvalid: not IsKeyName; kFull: no memory for Argon2id.
Expected<std::string> WriteKeyFile(const KeyFile& file, std::string_view passphrase);

// Whether ReadKeyFile will need a passphrase. Error: kMalformed.
Expected<bool> NeedsPassphrase(std::string_view text);

// The public half, which needs no passphrase (and is only believed of one's own file: see
// ReadKeyFile). Error: kMalformed.
struct KeyOwner {
  PublicKey key;
  std::string name;
};
Expected<KeyOwner> PublicHalf(std::string_view text);

// Errors: kMalformed; kDenied for a wrong passphrase or altered file; kFull: no memory for
// Argon2id.
Expected<KeyFile> ReadKeyFile(std::string_view text, std::string_view passphrase);

}  // namespace mig
