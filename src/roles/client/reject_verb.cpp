// mig reject ID: a person says no, for good, to an action that waits or to a proposal.
#include "cli/verb.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"

namespace mig {

int RunReject(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  ConnectionOptions wanted;
  std::string id_text, reason;
  cli::Options options("mig reject ID --reason TEXT",
                       "Ends an action that waits for signatures, or a proposal of the server, "
                       "for good: later\nsignatures are refused. Who said no and why is kept, and "
                       "`mig status ID` shows it to its author.");
  options.Word("ID", "the action or proposal, as `mig pending` shows it", true, &id_text);
  options.Text("reason", 'r', "TEXT", "why; its author reads it", &reason);
  wanted.AddTo(options);
  options.Example("mig reject 3t4uxh5p7ysolzdtxgzkjnvwaq --reason 'all of /home is too much'",
                  "it never runs");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  auto id = ActionId::Parse(id_text);
  if (!id) {
    return cli::Fail(terminal,
                     Error(Errc::kInvalid, id.error().message() + "; `mig pending` lists them"));
  }
  if (reason.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, "--reason: say why; its author reads it"));
  }
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto rejected = connection->api->Reject(*id, reason);
  if (!rejected) {
    if (rejected.error().code() != Errc::kExists) return cli::Fail(terminal, rejected.error());
    // Too late to say no; what runs can still be stopped.
    terminal.Complain(rejected.error().message() + "; what runs is ended with: mig stop " +
                      id->Text());
    return cli::kRefused;
  }
  terminal.Remark("Rejected; it never runs.");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
