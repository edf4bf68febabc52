// The deployment's policy for verbs that look at actions: from the server, or from files, so that
// an action can be judged where there is no network.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "roles/client/connection.h"
#include "trust/policy_chain.h"
#include "util/expected.h"

namespace mig {

struct PolicyOptions {
  ConnectionOptions connection;
  std::vector<std::string> files;  // --policy: root documents and the policy, in any order

  // Adds --policy and -config; or, for verbs that sign, all of ConnectionOptions'.
  void AddTo(cli::Options& options, bool signs);
};

struct PolicyFound {
  TrustedPolicy policy;
  std::string source;  // for people: "the server https://…", "root.1.json and policy.json"
};

// With --policy: what the files say, verified from the org of the configuration, or, without one,
// from the first root among the files. Else the server's. Errors name the file, or say how the
// server could not be reached.
Expected<PolicyFound> FindPolicy(const PolicyOptions& wanted);

}  // namespace mig
