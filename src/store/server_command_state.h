// What the rules about commands and result parts need to know of one command, and the one way in
// which a command ends. Private to the server_*.cpp files.
#pragma once

#include <optional>
#include <string>

#include "proto/ids.h"
#include "proto/kind.h"
#include "proto/result.h"
#include "store/server_statements.h"

namespace mig::store {

struct CommandState {
  std::int64_t row = 0, action = 0, agent = 0;
  CommandStatus status = CommandStatus::kPrepared;
  Kind kind = Kind::kInvestigate;
  std::optional<ActionId> stops;
  std::uint64_t limit_bytes = 0, parts = 0, bytes = 0;
  std::optional<std::int64_t> last_seq;
  std::string last_status;
  bool late = false;
  std::optional<bool> found;
};

Expected<std::optional<CommandState>> FindCommandState(ServerStatements& db, const ActionId& action,
                                                       const AgentId& agent);

// The next number of the order in which commands become final.
Expected<std::int64_t> NextFinish(ServerStatements& db);

// Makes the command final. `code` and `detail` may come from an agent: they are cut to what a
// person reads in a table.
Expected<void> FinishCommand(ServerStatements& db, std::int64_t command, CommandStatus status,
                             std::string_view code, std::string_view detail, UtcTime now);

}  // namespace mig::store
