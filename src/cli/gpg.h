// Signing with a key of GnuPG, through its own program: so smart cards, pinentry and gpg-agent work
// as their owner has set them up, and the secret never comes here. Ed25519 and RSA keys.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/client_config.h"
#include "cli/gpg_listing.h"
#include "cli/secret_key.h"
#include "crypto/signer.h"
#include "util/expected.h"

namespace mig::cli {

// The secret keys of GNUPGHOME, also those on cards. Errors: kNotFound: there is no gpg in PATH;
// kUnavailable, kTimeout: it fails, with what it said.
Expected<std::vector<GpgKey>> ListGpgKeys(const Environment& environment);

// As policies name it. Error: kInvalid.
Expected<SignerKey> SignerKeyOf(const GpgKey& key);

// `passphrase`: read now when it is a descriptor, and given to gpg; else pinentry asks.
// Errors: as ListGpgKeys and ChooseGpgKey.
Expected<std::unique_ptr<Signer>> OpenGpgSigner(const std::string& id,
                                                const PassphraseSource& passphrase,
                                                const Environment& environment);

}  // namespace mig::cli
