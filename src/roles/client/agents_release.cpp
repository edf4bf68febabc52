// mig agents release ID: a person says that an agent that was held is in order again.
#include "cli/verb.h"
#include "roles/client/agents_verb.h"
#include "roles/client/connection.h"

namespace mig {

cli::ExitStatus RunAgentsRelease(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string text, reason;
  ConnectionOptions wanted;
  cli::Options options(
      "mig agents release ID [--reason TEXT]",
      "Ends the hold on an agent whose identity two machines used, once only one of them speaks; "
      "or\ntakes away the mark of a ledger that went back, once you know why. Your name is noted.");
  options.Word("ID", "the agent, as `mig agents` shows it", true, &text);
  options.Text("reason", 'r', "TEXT", "why, for the audit log", &reason);
  wanted.AddTo(options);
  options.Example("mig agents release yw4ub3j7mxbzdfs55auv7rosl5du7jl3jdjw5mik2nr3qu44dn4q",
                  "after reset-identity on the other machine");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto id = AgentId::Parse(text);
  if (!id) {
    return cli::Fail(terminal,
                     Error(Errc::kInvalid, id.error().message() + "; `mig agents` lists them"));
  }
  auto connection = Connect(wanted, options, terminal);
  if (!connection) return cli::Fail(terminal, connection.error());
  auto released = connection->api->ReleaseAgent(*id, reason);
  if (!released) return cli::Fail(terminal, released.error());
  terminal.Remark("Released; what waited for it is sent.");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
