#include "cli/signers.h"

#include "cli/gpg.h"
#include "cli/ssh_agent.h"

namespace mig::cli {
namespace {

Expected<std::unique_ptr<Signer>> OpenFileSigner(const std::filesystem::path& file,
                                                 const PassphraseSource& passphrase) {
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
  return OpenFileSigner(choice.file, passphrase);
}

}  // namespace mig::cli
