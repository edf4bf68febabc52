// Freshness statements: made by a key that the policy names, for the policy that is known to be the
// newest.
#pragma once

#include "cli/api_client.h"
#include "cli/client_config.h"
#include "crypto/signer.h"
#include "trust/policy_documents.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

// Signed and verified. Error: kDenied for a key that the policy does not name for this.
Expected<Envelope> MakeStatement(const PolicyDocuments& documents, Signer& signer, UtcTime now);

}  // namespace mig
