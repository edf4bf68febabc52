// The verbs below `mig relay`; without one of them it is the relay itself.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "cli/exit_status.h"
#include "cli/terminal.h"
#include "util/expected.h"

namespace mig::relay {

using Words = std::span<const std::string>;

inline constexpr const char* kDefaultConfig = "/etc/mig/relay.yaml";

// Where a running relay with this database answers questions (net/local_control.h).
inline std::filesystem::path ControlSocket(const std::filesystem::path& store) {
  return store.string() + "-control";
}

// The question of `mig relay status`; the answer is a status report (roles/relay/status_report.h).
inline constexpr std::string_view kStatusQuestion = "status";

// The database that --store or --config names; without either, that of kDefaultConfig.
Expected<std::filesystem::path> FindStore(const std::string& config, const std::string& store);

cli::ExitStatus RunStatus(Words words, cli::Terminal& terminal);
cli::ExitStatus RunDb(Words words, cli::Terminal& terminal);

}  // namespace mig::relay
