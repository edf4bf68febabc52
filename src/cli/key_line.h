// Public keys as people write them in drafts of policies, as the keys of documents. The lines are
// crypto/public_key_line.h's: `mig-ed25519 …` (mig key show), `mig-rsa …`, `ssh-ed25519 …`.
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

// Space at either end is passed over. Errors: as ReadPublicLine.
Expected<KeyLine> ReadKeyLine(std::string_view text);
// Always as `mig-TYPE`, whatever it was read as: only the key counts.
std::string WriteKeyLine(const DocumentKey& key, std::string_view name);

// The id by which documents and signatures name the key.
KeyId IdOf(const DocumentKey& key);

}  // namespace mig::cli
