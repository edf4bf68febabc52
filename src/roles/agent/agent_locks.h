// What keeps two agents apart: one process for each directory, because two with one memory would
// each run what the other has accepted; and one agent of a deployment for each machine, because two
// would both answer for it. The second one ends and says who is there; nobody steps down by
// himself, since nothing tells which of the two is wanted. A person can end an older one from afar,
// with the module agentdestroy.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "os/file_lock.h"
#include "proto/ids.h"
#include "roles/agent/agent_config.h"
#include "util/expected.h"

namespace mig::agent {

// An agent that was killed may have been about to start a child, which has its locks until it
// becomes another program: so taking them waits a moment.
inline constexpr std::chrono::milliseconds kLockPatience{3'000};

// The folder must be there. Error: kExists, naming the process that holds it.
Expected<os::FileLock> LockDirectory(const AgentConfig& config,
                                     std::chrono::milliseconds patience = kLockPatience);

// Nothing when the configuration says that several agents run here on purpose. Error: kExists as
// above; kInvalid for a folder that others could write to.
Expected<std::optional<os::FileLock>> LockHost(const AgentConfig& config, const OrgId& org,
                                               std::chrono::milliseconds patience = kLockPatience);

}  // namespace mig::agent
