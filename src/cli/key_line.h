// Public keys as people write them in drafts of policies and pass them on: one line each.
//   mig-ed25519 BASE64 NAME                       `mig key show`
//   ssh-ed25519 BASE64 COMMENT                    an SSH key
//   sk-ssh-ed25519@openssh.com BASE64 COMMENT     an SSH key on a FIDO token
//   mig-rsa BASE64 NAME                           RSAPublicKey (DER), of an OpenPGP key
#pragma once

#include <string>
#include <string_view>

#include "proto/document_key.h"
#include "proto/ids.h"
#include "util/expected.h"

namespace mig::cli {

struct KeyLine {
  DocumentKey key;
  std::string name;  // what stands behind the key; may be empty
};

// Error: kMalformed, kUnsupported, saying what such a line looks like.
Expected<KeyLine> ReadKeyLine(std::string_view text);
// Plain Ed25519 keys as mig-ed25519, whatever they were read as: only the key counts.
std::string WriteKeyLine(const DocumentKey& key, std::string_view name);

// The id by which documents and signatures name the key.
KeyId IdOf(const DocumentKey& key);

}  // namespace mig::cli
