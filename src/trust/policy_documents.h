// The signed documents of a deployment as the server and the client hold them: root chain and
// policy in files beside the configuration. Read, verified, and passed on exactly as signed.
#pragma once

#include <filesystem>
#include <vector>

#include "crypto/envelope.h"
#include "trust/policy_chain.h"
#include "util/expected.h"
#include "util/settings.h"

namespace mig {

struct PolicyFiles {
  std::vector<std::filesystem::path> roots;  // version 1 first
  std::filesystem::path policy;
};

// The section `policy` of a configuration file in `folder`: {roots: [FILE, …], policy: FILE}. What is
// wrong is recorded in `settings` (see Finish).
PolicyFiles ReadPolicyFiles(Settings& settings, const std::filesystem::path& folder);

struct PolicyDocuments {
  OrgId org;
  std::vector<Envelope> roots;
  Envelope policy;
  TrustedPolicy trusted;
};

// `org` follows from the first root file, which is trusted because it lies here; the rest must
// verify from it. Errors name the file.
Expected<PolicyDocuments> LoadPolicyDocuments(const PolicyFiles& files);

}  // namespace mig
