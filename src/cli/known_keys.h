// The keys that a person could sign with here: key files, those of ssh-agent, those of GnuPG. Only
// public halves are looked at; nothing asks for a passphrase. What signs is cli/signers.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/client_config.h"
#include "cli/key_choice.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::cli {

struct KnownKey {
  KeyChoice choice;  // its own name: an absolute path, a whole fingerprint
  std::string type;  // as policies name it; empty where mig cannot use it
  Bytes key;
  std::string id;          // text of the KeyId; empty as `type`
  std::string name;        // whose it says it is; text from outside
  std::string protection;  // "passphrase", "unlocked", "none", "ssh-agent", "gpg-agent", "card", …
  std::string why_not;     // why it cannot sign for mig; empty when it can
};

// The public line of such a key. Requires: why_not is empty.
std::string PublicLineOf(const KnownKey& key);

struct KnownKeys {
  std::vector<KnownKey> keys;
  std::vector<std::string> remarks;  // what could not be looked at, and why
};

// *.key in the user's folder, `configured`, and all that the agents show.
KnownKeys FindKeys(const std::optional<KeyChoice>& configured, const Environment& environment);

// One key, by any name that OpenSigner takes. Errors: as OpenSigner's; kInvalid when it cannot
// sign.
Expected<KnownKey> LookUpKey(const KeyChoice& choice, const Environment& environment);

// What a verb that is given none works on: the configuration's key or, where nothing is configured,
// investigator.key in the user's folder. Error: kInvalid, as FindClientConfig.
Expected<KeyChoice> OwnKey(const ConfigOptions& options, const Environment& environment);

}  // namespace mig::cli
