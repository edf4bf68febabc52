// What the primary key of a certificate says about one part of it (itself, a user id, a subkey):
// the signature that counts, and revocations. RFC 9580 sections 5.2.1 and 5.2.3.10; which rules
// follow from it is told in crypto/openpgp_certificate.h, the only user.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>

#include "crypto/openpgp_public_key.h"
#include "crypto/openpgp_signature_packet.h"
#include "util/clock.h"

namespace mig::openpgp {

// How many signatures may still be verified for one file: a key server's copy of a well-known key
// has thousands, but few by itself.
struct SignatureBudget {
  std::size_t left = 512;
};

enum class Kind { kPrimaryKey, kUserId, kSubkey };

using SelfSignature = SignaturePacket;  // verified

struct SelfSignatures {
  std::optional<SelfSignature> newest;  // of those in force
  std::string revocation;               // not empty: revoked, and how
  std::string problem;                  // without `newest`: why the last candidate does not count
  bool has_foreign_revocation = false;  // one that names somebody else as its issuer

  // Of `signatures` those by `primary` over `parts`. Requires: primary.voucher.
  // Error: kFull: the budget is used up.
  static Expected<SelfSignatures> Check(const KeyPacket& primary,
                                        std::initializer_list<BytesView> parts, Kind kind,
                                        std::span<const BytesView> signatures, UtcTime now,
                                        SignatureBudget& budget);
};

}  // namespace mig::openpgp
