// Which documents of the deployment a server's role goes by: those in its files, or what was
// published to the database since. Nothing in the database is believed before it verifies.
#pragma once

#include "store/server_reader.h"
#include "trust/policy_documents.h"
#include "util/expected.h"

namespace mig::store {

// `files` come first; a published policy that verifies from their org and is newer goes before.
// What is published and does not verify, or contradicts the files, is logged and left out. The
// newest freshness statement about the chosen policy, from either, comes with it.
// Error: the database cannot be read.
Expected<PolicyDocuments> NewestDocuments(PolicyDocuments files, ServerReader& reader);

}  // namespace mig::store
