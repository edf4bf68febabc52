// The access control list of Mozilla's MIG (acl.cfg), and what it becomes in a policy: module by
// module who weighs what, with people known by the fingerprints of their OpenPGP keys. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/openpgp_certificate.h"
#include "proto/policy.h"
#include "util/expected.h"

namespace mig::cli {

struct AclInvestigator {
  std::string label;        // any text
  std::string fingerprint;  // upper-case hex without spaces
  std::uint32_t weight = 0;
};

struct AclRule {
  std::uint32_t minimumweight = 1;
  std::vector<AclInvestigator> investigators;  // by label
};

using MigAcl = std::map<std::string, AclRule>;  // by module, or "default"

// Errors: kMalformed; kInvalid, naming the field: no rule, a minimum below 1, a negative weight
// (which MIG took off the sum of the others), what is no fingerprint.
Expected<MigAcl> ReadMigAcl(std::string_view text);

struct AclImport {
  std::vector<std::string> added;     // ids of people who were not in the policy
  std::vector<std::string> left_out;  // who and what is missing now, and what to do; sentences
  std::vector<std::string> remarks;   // what differs from MIG; sentences
};

// Writes the list's rules into `policy`, in place of those that it has for the same modules; other
// rules stay. People are those of `certificates` whose primary fingerprint the list names; one
// whose key `policy` has already is that person. A rule stays when nobody is left in it: without it
// the module would go by a rule that may ask for less.
//   `default` becomes the rule of the kind investigate: MIG's modules changed nothing, and who
//   could look everywhere shall not be able to act everywhere.
// Error: kInvalid: an id for somebody cannot be made.
Expected<AclImport> ImportMigAcl(const MigAcl& acl,
                                 const std::vector<openpgp::Certificate>& certificates,
                                 Policy& policy);

}  // namespace mig::cli
