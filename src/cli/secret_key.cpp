#include "cli/secret_key.h"

#include "os/files.h"
#include "os/terminal.h"

namespace mig::cli {
namespace {

namespace fs = std::filesystem;

}  // namespace

Expected<Bytes> AskPassphrase(const PassphraseSource& source, const std::string& prompt) {
  if (source.descriptor) return os::ReadSecretFromDescriptor(*source.descriptor);
  auto secret = os::ReadSecretFromTerminal(prompt);
  if (!secret && secret.error().code() == Errc::kUnavailable) {
    return Error(Errc::kInvalid, secret.error().message() +
                                     "; give it with --passphrase-fd N (as in "
                                     "--passphrase-fd 3 3<FILE)");
  }
  return secret;
}

Error NoKeyIn(const fs::path& file) {
  return Error(Errc::kNotFound, "there is no key in " + file.string() +
                                    "; make one with: mig key new --name 'Your Name <mail>', or "
                                    "sign with one that you have: mig key list, mig key use KEY");
}

Expected<void> CheckPrivate(const fs::path& file) {
  std::error_code error;
  const fs::perms perms = fs::status(file, error).permissions();
  constexpr fs::perms kOthers = fs::perms::group_all | fs::perms::others_all;
  if (!error && (perms & kOthers) != fs::perms::none) {
    return Error(Errc::kInvalid, file.string() +
                                     ": others can read this secret key; make it yours with: "
                                     "chmod 600 " +
                                     file.string());
  }
  return {};
}

Expected<KeyFile> LoadSecretKey(const fs::path& file, const PassphraseSource& source) {
  auto opened = OpenSecretKey(file, source);
  if (!opened) return std::move(opened).error();
  return std::move(opened->file);
}

Expected<OpenedKey> OpenSecretKey(const fs::path& file, const PassphraseSource& source) {
  auto text = os::ReadFile(file, kMaxKeyFileBytes);
  if (!text) {
    if (text.error().code() != Errc::kNotFound) return std::move(text).error();
    return NoKeyIn(file);
  }
  if (auto is_private = CheckPrivate(file); !is_private) return std::move(is_private).error();
  const auto locked = NeedsPassphrase(*text);
  if (!locked) return Error(locked.error()).During(file.string());
  Wiped passphrase{Bytes()};
  if (*locked) {
    auto asked = AskPassphrase(source, "Passphrase for " + file.string() + ": ");
    if (!asked) return std::move(asked).error();
    passphrase = Wiped(std::move(*asked));
  }
  auto key = ReadKeyFile(*text, passphrase.bytes);
  WipeBytes(*text);
  if (!key) return std::move(key).error().During(file.string());
  return OpenedKey{std::move(*key), std::move(passphrase)};
}

Expected<Bytes> NewPassphrase(const PassphraseSource& source) {
  auto first = AskPassphrase(source, "Passphrase for the new key: ");
  if (!first) return first;
  if (first->empty()) {
    return Error(Errc::kInvalid,
                 "an empty passphrase protects nothing; if that is what you want, say "
                 "--no-passphrase");
  }
  if (source.descriptor) return first;
  auto second = AskPassphrase(source, "Once more: ");
  if (!second) return second;
  const bool same = *first == *second;
  WipeBytes(*second);
  if (same) return first;
  WipeBytes(*first);
  return Error(Errc::kInvalid, "the two passphrases differ; nothing was written");
}

}  // namespace mig::cli
