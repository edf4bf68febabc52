// What the agent knows about itself: the answers to a target's questions, and what the check wants
// to know of a module. Pure over values that others found out.
#pragma once

#include <optional>
#include <string>

#include "crypto/envelope.h"
#include "modules/module.h"
#include "proto/result.h"
#include "proto/target.h"
#include "trust/authorisation.h"

namespace mig::agent {

struct Self {
  AgentId id;
  std::string name;
  std::string version;
  Environment environment;
  // What people granted with the token that it enrolled with (trust/agent_tags.h).
  struct Granted {
    Bytes token_hash;
    Envelope grant;
  };
  std::optional<Granted> granted;
};

// `self` and `policy` (null: none yet) must outlive the facts. Unknown: what only the server can
// say (status, heartbeattime, found, notfound), and tags when the grant does not count by this
// policy. Known and absent: a tag or a field of the environment that is not there.
Target::Facts FactsAbout(const Self& self, const TrustedPolicy* policy, UtcTime now);

// The facts of a module of this build; nothing for one it does not have.
std::optional<ModuleFacts> FactsOfModule(std::string_view name);

// The paths that an operation names: what stands in its fields `path` and `paths`, in every search.
// Where such a field is absent, the module's default for it. References to attachments are left
// out. Error: kInvalid for a wrong type.
Expected<std::vector<std::string>> PathsOf(const Module& module, const json::object& parameters);

}  // namespace mig::agent
