// Root and policy documents: who may order what. Formats only; whether they may be believed is
// decided in trust/policy_chain.h (wire.md, "Root" and "Policy").
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/document_key.h"
#include "proto/ids.h"
#include "proto/kind.h"
#include "proto/limits.h"
#include "proto/tags.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig {

inline constexpr std::string_view kRootType = "application/vnd.mig.root.v1+json";
inline constexpr std::string_view kPolicyType = "application/vnd.mig.policy.v1+json";

struct Root {
  std::uint64_t version = 1;
  std::uint32_t threshold = 1;    // 1..keys
  std::vector<DocumentKey> keys;  // distinct
  UtcTime issued;
};

struct Person {
  std::string id;    // stable, [a-z0-9._-]{1,64}
  std::string name;  // "Full Name <mail>"
  bool active = true;
  std::vector<DocumentKey> keys;
};

// Limits on what an operation may ask. `paths`: every path the operation reads must lie below one
// of these; enforced by the child's Landlock rules as well as by the check.
struct Constraints {
  std::vector<std::string> paths;                              // absolute; empty: any
  std::map<std::string, std::vector<std::string>> parameters;  // parameter -> allowed values
};

struct ModuleRule {
  std::uint32_t minimumweight = 1;               // at least 1
  std::map<std::string, std::uint32_t> weights;  // person id -> weight; nobody else has any
  Constraints constraints;
};

// Whose signatures, together, make a grant of tags valid (proto/grant.h).
struct EnrolmentRule {
  std::uint32_t minimumweight = 1;
  std::map<std::string, std::uint32_t> weights;  // person id -> weight
};

// Who may say that the policy is still the newest, and how old that word may be
// (proto/freshness.h).
struct FreshnessRule {
  std::vector<DocumentKey> keys;  // any one of them is enough; none is a person's
  std::chrono::milliseconds age = std::chrono::hours(24);  // 1 minute .. 24 hours
};

struct Policy {
  OrgId org;
  std::uint64_t version = 1;
  UtcTime issued;
  UtcTime expires;
  std::vector<Person> people;
  // As in MIG's ACL: the entry with the module's name, else that of its kind, else "default"; never
  // a mix of them.
  std::map<std::string, ModuleRule> modules;
  std::map<Kind, ModuleRule> kinds;
  Limits ceilings;
  // Longest expireafter - validfrom. A kind that is not named may not be used at all; kStop always.
  std::map<Kind, std::chrono::milliseconds> validity;
  std::set<KeyId> revoked;
  bool require_full_sandbox = false;       // "sandbox": "full" | "any"
  std::optional<EnrolmentRule> enrolment;  // nothing: grants of tags count nowhere
  std::optional<FreshnessRule> freshness;  // nothing: nobody may respond or administer
  std::map<AgentId, Tags> tags;  // given by the policy itself; they go before granted ones
};

Expected<Root> DecodeRoot(BytesView payload);
Bytes EncodeRoot(const Root& root);

// Also refuses a key that stands twice, compared by its material: with two people, with one, or
// with a person and among the freshness keys.
Expected<Policy> DecodePolicy(BytesView payload);
Bytes EncodePolicy(const Policy& policy);

}  // namespace mig
