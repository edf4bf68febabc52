#include "cli/signers.h"

namespace mig::cli {

Expected<std::unique_ptr<Signer>> OpenSigner(const KeyChoice& choice,
                                             const PassphraseSource& passphrase,
                                             const Environment&) {
  if (choice.kind != KeyChoice::Kind::kFile) {
    return Error(Errc::kUnsupported, KeyChoiceText(choice) + ": only key files can sign");
  }
  auto key = LoadSecretKey(choice.file, passphrase);
  if (!key) return std::move(key).error();
  return std::unique_ptr<Signer>(
      std::make_unique<SecretKeySigner>(std::move(*key), choice.file.string()));
}

}  // namespace mig::cli
