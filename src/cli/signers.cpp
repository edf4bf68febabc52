#include "cli/signers.h"

#include "cli/gpg.h"
#include "cli/key_holder.h"
#include "cli/ssh_agent.h"
#include "os/files.h"

namespace mig::cli {
namespace {

bool IsLocked(std::string_view key_file) {
  const auto locked = NeedsPassphrase(key_file);
  return locked && *locked;
}

Expected<std::unique_ptr<Signer>> OpenFileSigner(const std::filesystem::path& file,
                                                 const PassphraseSource& passphrase,
                                                 const Environment& environment) {
  // A passphrase that was typed before, for some hours, need not be typed again.
  if (!passphrase.descriptor) {
    if (auto text = os::ReadFile(file, kMaxKeyFileBytes)) {
      const auto owner = PublicHalf(*text);
      const bool locked = IsLocked(*text);
      WipeBytes(*text);
      if (owner && locked) {
        auto held = FindHolder(*owner, file.string(), environment);
        if (!held || *held) return held;
      }
    }
  }
  auto key = LoadSecretKey(file, passphrase);
  if (!key) return std::move(key).error();
  return std::unique_ptr<Signer>(std::make_unique<SecretKeySigner>(std::move(*key), file.string()));
}

}  // namespace

Expected<std::unique_ptr<Signer>> OpenSigner(const KeyChoice& choice,
                                             const PassphraseSource& passphrase,
                                             const Environment& environment) {
  switch (choice.kind) {
    case KeyChoice::Kind::kSsh:
      if (passphrase.descriptor) {
        return Error(Errc::kInvalid,
                     "--passphrase-fd: an ssh-agent's keys have no passphrase any more; ssh-add "
                     "asked for it");
      }
      return OpenSshSigner(choice.id, environment);
    case KeyChoice::Kind::kGpg:
      return OpenGpgSigner(choice.id, passphrase, environment);
    case KeyChoice::Kind::kFile:
      break;
  }
  return OpenFileSigner(choice.file, passphrase, environment);
}

}  // namespace mig::cli
