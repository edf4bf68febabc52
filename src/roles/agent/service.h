// The running agent: the parts of this folder, put together around one event loop and one thread.
// SQLite is called from that thread too: its commits take milliseconds, and nothing that the agent
// does next may go ahead of them; the link is kept alive by Paho's own threads meanwhile.
#pragma once

#include <filesystem>

#include "roles/agent/agent_config.h"
#include "util/expected.h"

namespace mig::agent {

// Runs until SIGTERM or SIGINT. `file` is read again for the log level on SIGHUP.
// Error: it could not start.
Expected<void> Serve(const AgentConfig& config, const std::filesystem::path& file);

}  // namespace mig::agent
