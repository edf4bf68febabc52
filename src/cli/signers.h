// Opens the key that a person chose, wherever it is, as a Signer.
#pragma once

#include <memory>

#include "cli/client_config.h"
#include "cli/key_choice.h"
#include "cli/secret_key.h"
#include "crypto/signer.h"
#include "util/expected.h"

namespace mig::cli {

// A key file is opened here and now, with its passphrase. Errors: as LoadSecretKey, in words that
// say what to do.
Expected<std::unique_ptr<Signer>> OpenSigner(const KeyChoice& choice,
                                             const PassphraseSource& passphrase,
                                             const Environment& environment);

}  // namespace mig::cli
