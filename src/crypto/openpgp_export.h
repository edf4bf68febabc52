// Our keys as other people's programs know them: an OpenPGP version 4 certificate (RFC 9580 section
// 10.1) with one Ed25519 key (EdDSALegacy: GnuPG 2.2 knows no other), one user id and its
// self-signature; and documents signed with it. Reading is crypto/openpgp_certificate.h.
#pragma once

#include <string>

#include "crypto/key_file.h"
#include "crypto/wiped.h"

namespace mig::openpgp {

// The certificate, armoured. The same key file always gives the same bytes: everything in it is
// dated at the key's creation, in whole seconds. Error: kInvalid: created before 1970 or after
// 2106, which a version 4 key cannot say.
Expected<std::string> ExportPublic(const KeyFile& file);

// The same with the secret key, armoured: under the passphrase, or in clear when it is empty.
// Errors: as ExportPublic; kFull: no memory.
Expected<Wiped> ExportSecret(const KeyFile& file, std::string_view passphrase);

// Upper-case hex, 40 digits. Error: as ExportPublic.
Expected<std::string> FingerprintV4(const KeyFile& file);

// A detached signature over `message` (type 0x00, version 4, EdDSALegacy, SHA-512), made at `now`:
// a binary packet, which VerifyDetached and the programs that imported our certificate accept. For
// an .asc file: WriteArmor(ArmorKind::kSignature, …). Error: kInvalid: `now` or the key's creation
// is outside 1970..2106.
Expected<Bytes> SignDetached(const KeyFile& file, BytesView message, UtcTime now);

}  // namespace mig::openpgp
