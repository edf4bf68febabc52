// The keys that a file says a person has, for a policy: a public line (cli/key_line.h), or what
// `gpg --export` wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/openpgp_certificate.h"
#include "proto/document_key.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::cli {

struct PersonKeys {
  std::string name;  // of the user id or the line; may be empty
  std::vector<DocumentKey> keys;
  std::vector<std::string> left_out;  // keys that cannot sign, each with why
};

// Those keys of an OpenPGP certificate that may sign now. Where none may: no keys, and why of each.
PersonKeys KeysIn(const openpgp::Certificate& certificate);

// What somebody can do of whose certificate no key may sign.
std::string RemedyFor(const openpgp::Certificate& certificate);

// A line, or one certificate, armoured or binary. Errors: as ReadKeyLine and ReadCertificates;
// kInvalid: several people's certificates, or one of which no key can sign, naming each key.
Expected<PersonKeys> ReadPersonKeys(std::string_view content, UtcTime now);

}  // namespace mig::cli
