// The investigator's key file: found, unlocked, and never left lying open.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "crypto/key_file.h"
#include "crypto/wiped.h"
#include "util/expected.h"

namespace mig::cli {

inline constexpr std::size_t kMaxKeyFileBytes = 64 * 1024;

// Where a passphrase comes from: the first line of an inherited descriptor, or else the terminal.
struct PassphraseSource {
  std::optional<int> descriptor;
};

// Asks for a passphrase only when the file has one. Errors: kNotFound saying how to make a key;
// kInvalid when others may read the file; kDenied for a wrong passphrase.
Expected<KeyFile> LoadSecretKey(const std::filesystem::path& file, const PassphraseSource& source);

// The same, with the passphrase that opened it: for what is written anew under the same one.
struct OpenedKey {
  KeyFile file;
  Wiped passphrase;  // empty: the file is in clear
};
Expected<OpenedKey> OpenSecretKey(const std::filesystem::path& file,
                                  const PassphraseSource& source);

// From the source, as it is. Errors: kInvalid, kUnavailable, kDenied, kIo.
Expected<Bytes> AskPassphrase(const PassphraseSource& source, const std::string& prompt);

// That there is none, and the next commands.
Error NoKeyIn(const std::filesystem::path& file);

// For a new key: asked twice on the terminal, and not empty. Errors: kInvalid, kUnavailable.
Expected<Bytes> NewPassphrase(const PassphraseSource& source);

// Error: kInvalid when group or others may read it.
Expected<void> CheckPrivate(const std::filesystem::path& file);

}  // namespace mig::cli
