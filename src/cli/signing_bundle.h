// Root chain and policy on their way from one keeper of a root key to the next: documents that may
// still lack signatures. One file that people pass on; published when nothing is missing any more.
// What is complete is read by trust/policy_documents.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/envelope.h"
#include "crypto/signer.h"
#include "proto/policy.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::cli {

struct SigningBundle {
  std::vector<Envelope> roots;     // version 1 first; at least one
  std::optional<Envelope> policy;  // under the last root

  OrgId org() const;
};

// {"roots": [ENVELOPE, …], "policy": ENVELOPE} as in trust/policy_documents.h, but `signatures` may
// be empty. Errors: kMalformed, kInvalid.
Expected<SigningBundle> ReadSigningBundle(std::string_view text);
std::string WriteSigningBundle(const SigningBundle& bundle);

Expected<Root> RootIn(const SigningBundle& bundle, std::size_t index);
Expected<Policy> PolicyIn(const SigningBundle& bundle);  // kNotFound when there is none

// A document that is not signed as it must be yet.
struct MissingSignatures {
  std::string document;            // "root version 2", "policy version 7"
  std::string under;               // "root version 1"
  std::size_t have = 0, need = 0;  // keys of that root
};
Expected<std::vector<MissingSignatures>> MissingIn(const SigningBundle& bundle);
std::string MissingText(const MissingSignatures& missing);

// Signs each document that the signer's key may sign and has not signed; returns their names, none
// when there is nothing to do. Error: kDenied when the key is in none of the roots that count.
Expected<std::vector<std::string>> SignBundle(SigningBundle& bundle, Signer& signer);

// A document without signatures yet.
Envelope Unsigned(std::string_view type, Bytes payload);

}  // namespace mig::cli
