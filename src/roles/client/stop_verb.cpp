// mig stop ID: ends an action on all agents that have it, and keeps it from those that do not yet.
#include "cli/verb.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "roles/client/following.h"

namespace mig {

int RunStop(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  ConnectionOptions wanted;
  std::string id_text;
  std::string reason;
  cli::Options options(
      "mig stop ID [--reason TEXT]",
      "Stops an action: a signed order of its own, which any one active person may "
      "give. Runs are\nended, and agents that have not got the action yet will not "
      "take it up.");
  options.Word("ID", "the action, as `mig status` shows it", true, &id_text);
  options.Text("reason", '\0', "TEXT", "why, for the ledgers of those who are asked", &reason);
  wanted.AddTo(options);
  options.Example("mig stop 3t4uxh5p7ysolzdtxgzkjnvwaq", "stops it everywhere");
  options.Example("mig stop 3t4uxh5p7ysolzdtxgzkjnvwaq --reason 'wrong target'",
                  "and says why, in each agent's ledger");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  auto id = ReadActionId(id_text);
  if (!id) return cli::Fail(terminal, id.error());
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto info = connection->api->GetAction(*id);
  if (!info) return cli::Fail(terminal, info.error());
  if (IsFinal(info->progress.status)) {
    terminal.Remark("The action is over already: " +
                    std::string(ActionStatusName(info->progress.status)) + ".");
    return cli::Finish(terminal, cli::kFound);
  }
  const UtcTime until = info->action ? info->action->expireafter : Now() + std::chrono::hours(24);
  if (auto sent = SendStop(*connection, *id, until, reason); !sent) {
    return cli::Fail(terminal, sent.error());
  }
  terminal.Remark("Asked every agent to stop it; see how it goes with: mig status " + id->Text());
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
