// A person's public key on one line, for policies and for people: "mig-TYPE BASE64 NAME" (wire.md,
// "Key file"). Lines of OpenSSH are read too (crypto/ssh_key.h writes those).
#pragma once

#include <string>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

struct PublicKeyLine {
  std::string type;  // ed25519, sk-ed25519, rsa: as roots and policies name it
  Bytes key;
  std::string name;  // whose it says it is; of an OpenSSH line the comment
  bool operator==(const PublicKeyLine&) const = default;
};

// Without its line end. Requires: VerifyingKey::From(type, key), IsKeyName(name).
std::string WritePublicLine(const PublicKeyLine& line);

// Either kind of line. A comment of OpenSSH's that is no name gives an empty one.
// Errors: kMalformed; kUnsupported, kInvalid: a key that no agent would verify with.
Expected<PublicKeyLine> ReadPublicLine(std::string_view text);

}  // namespace mig
