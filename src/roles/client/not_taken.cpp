#include "roles/client/not_taken.h"

#include "util/clock.h"
#include "util/text.h"

namespace mig {

void RemarkOnNotTaken(Connection& connection, cli::Terminal& terminal) {
  auto list = connection.api->ListNotTaken();
  if (!list) {
    terminal.Remark("Note: what the server did not take of agents is not known: " +
                        list.error().message() + ".",
                    cli::Style::kYellow);
    return;
  }
  for (const cli::ApiClient::NotTaken& entry : *list) {
    if (entry.last < Now() - std::chrono::hours(24)) continue;
    const std::string from = entry.agent.empty() ? "of no agent" : "on the topic of " + entry.agent;
    terminal.Remark("Note: " + std::to_string(entry.count) + " messages were not taken (" +
                        EscapeForTerminal(entry.reason) + "), the last one at " +
                        FormatRfc3339(entry.last) + ", " + EscapeForTerminal(from) +
                        "; the scheduler's log has more.",
                    cli::Style::kYellow);
  }
}

}  // namespace mig
