// Which key a person signs with, as a configuration, MIG_KEY or -key names it: a key file, or a key
// that ssh-agent or GnuPG holds. What opens it is cli/signers.h.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::cli {

struct KeyChoice {
  enum class Kind { kFile, kSsh, kGpg };
  Kind kind = Kind::kFile;
  std::filesystem::path file;  // kFile
  std::string id;              // kSsh: SHA256:… or a comment; kGpg: a fingerprint or a user id

  bool operator==(const KeyChoice&) const = default;
};

// "ssh:SHA256:…", "gpg:FINGERPRINT", "file:PATH", or simply a path; relative ones are relative to
// `folder`. Error: kInvalid.
Expected<KeyChoice> ParseKeyChoice(std::string_view text, const std::filesystem::path& folder);

// What ParseKeyChoice reads.
std::string KeyChoiceText(const KeyChoice& choice);

}  // namespace mig::cli
