// Actions as Mozilla's MIG writes them to files (syntax version 2, the JSON of its `actions/`
// folder), so that what people collected there can be asked here. MIG's own signatures, ids and
// results have no meaning here; what is signed is an action of ours that asks the same. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/new_action.h"
#include "proto/action.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::cli {

struct MigAction {
  std::string name, target;
  Kind kind = Kind::kInvestigate;  // of the modules, which all have the same
  std::vector<Operation> operations;
  Description description;
  Threat threat;
  std::optional<UtcTime> validfrom, expireafter;
  std::vector<std::string> remarks;  // what of the file was left out, for people
};

// Whether the document looks like one: it has `syntaxversion`, or `operations` and no `kind`.
bool LooksLikeMigAction(const json::object& document);

// Errors: kUnsupported for what has no meaning here (compressed parameters, signatures of MIG,
// another syntax version, modules that this executable lacks), with what to do; kInvalid for what
// is no action, a target or parameters that are not understood, modules of several kinds.
Expected<MigAction> ReadMigAction(const json::object& document);

// The same as an action of ours, without an audience; `expire` counts where the file has no times.
Action ActionFrom(const MigAction& mig, const Draft& draft, const Limits& limits,
                  std::chrono::milliseconds expire, UtcTime now);

}  // namespace mig::cli
