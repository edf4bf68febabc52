// The signed documents of a deployment as the server and the client hold them: root chain, policy
// and freshness statement, in files beside the configuration or in one bundle. Read, verified, and
// passed on exactly as signed.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "crypto/envelope.h"
#include "trust/policy_chain.h"
#include "util/expected.h"
#include "util/json.h"
#include "util/settings.h"

namespace mig {

struct PolicyFiles {
  std::vector<std::filesystem::path> roots;  // version 1 first
  std::filesystem::path policy;
  std::optional<std::filesystem::path> freshness;
};

// The section `policy` of a configuration file in `folder`: {roots: [FILE, …], policy: FILE,
// freshness: FILE}. What is wrong is recorded in `settings` (see Finish).
PolicyFiles ReadPolicyFiles(Settings& settings, const std::filesystem::path& folder);

struct PolicyDocuments {
  OrgId org;
  std::vector<Envelope> roots;
  Envelope policy;
  TrustedPolicy trusted;
  std::optional<Envelope> freshness;  // about this policy, verified
};

// `org` follows from the first root file, which is trusted because it lies here; the rest must
// verify from it. A freshness file that is not there, or is about an earlier policy, is left out
// with a log line: it is written by somebody else, at another time. Errors name the file.
Expected<PolicyDocuments> LoadPolicyDocuments(const PolicyFiles& files);

// The bundle in which they travel over HTTP and between people: {roots: [ENVELOPE, …], policy:
// ENVELOPE, freshness: ENVELOPE}, the last one optional. Errors: as VerifyPolicyChain; kDenied for
// a freshness statement that is not about this policy.
Expected<PolicyDocuments> ReadPolicyBundle(const OrgId& org, const json::object& bundle);
json::object PolicyBundle(const PolicyDocuments& documents);

// Agents take all of it in one message (proto/command.h), with a little around it.
inline constexpr std::size_t kMaxBundleBytes = 1000 * 1024;

}  // namespace mig
