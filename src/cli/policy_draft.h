// A policy as people draft it: YAML (or JSON) that reads like MIG's ACL, with people by their ids
// and keys as public lines (cli/key_line.h). What the draft does not say (org, version, time of
// issue) is added when it is signed. examples/policies has several; docs/policy.md explains each
// field.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/policy.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::cli {

// What a draft does not say.
struct DraftFacts {
  OrgId org;
  std::uint64_t version = 1;
  UtcTime issued;
};

// The policy that the draft means. `name` is what messages call the file. Absent fields have the
// defaults of a first draft: no module of its own, the usual ceilings and validities, sandbox any.
// Errors: kMalformed; kInvalid and kUnsupported, naming the field.
Expected<Policy> ReadPolicyDraft(std::string_view text, const std::string& name,
                                 const DraftFacts& facts);

// A draft that means `policy`. Comments of the draft it came from are gone.
std::string WritePolicyDraft(const Policy& policy);

// A first draft: one person, who may investigate alone; respond and admin need two people. Expires
// after 90 days.
Policy FirstPolicy(const OrgId& org, const Person& person, UtcTime issued);

// Sets the field at `path` ("kinds.respond.minimumweight") of a draft to what `value` is in YAML,
// or takes it out (nothing). Objects on the way are made. Error: kInvalid, kNotFound, kMalformed.
Expected<void> SetField(json::value& draft, std::string_view path,
                        const std::optional<std::string>& value);

}  // namespace mig::cli
