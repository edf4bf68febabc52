// `mig query MODULE -t local`: the module on this machine, in the same sandboxed child as an agent
// would use, without any server.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/answer_reader.h"
#include "cli/exit_status.h"
#include "modules/module.h"
#include "proto/limits.h"
#include "roles/client/attached_files.h"

namespace mig {

// How it stands against what else runs here; empty: as the module's process decides.
struct LocalPriority {
  std::optional<std::uint64_t> threads, nice;
};

// Elements go to stdout without a name in front; errors and statistics to stderr, always: a file
// that could not be opened must not be invisible.
cli::ExitStatus RunLocal(const Module& module, const json::object& parameters,
                         const std::vector<AttachedFile>& files, const Limits& limits,
                         const LocalPriority& priority, const cli::AnswerReader::Options& options,
                         cli::Terminal& terminal);

}  // namespace mig
