// Waiting for the answers to an action, with a person at the keyboard: Ctrl-C once lets go of it,
// twice stops it.
#pragma once

#include <optional>
#include <vector>

#include "cli/answer_reader.h"
#include "cli/exit_status.h"
#include "roles/client/connection.h"

namespace mig {

// Follows until the action is final, and gives the verb's exit status. `action` is what was sent,
// or what the server shows of it.
cli::ExitStatus FollowAction(Connection& connection, const Action& action,
                             std::optional<std::vector<cli::ShownAgent>> shown,
                             cli::AnswerReader::Options options, cli::Terminal& terminal);

// The question that an action asks, for printing.
cli::Question QuestionOf(const Action& action);

// Signs and sends a stop of `action`, valid until `until`. Error: as ApiClient.
Expected<void> SendStop(Connection& connection, const ActionId& action, UtcTime until,
                        const std::string& reason);

}  // namespace mig
