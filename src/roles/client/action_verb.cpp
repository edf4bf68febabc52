// mig action show|verify FILE: what a signed action says, and who signed it, without sending it.
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "os/files.h"
#include "proto/action.h"
#include "roles/client/client.h"
#include "roles/client/connection.h"
#include "trust/authorisation.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

Expected<Envelope> LoadEnvelope(const std::string& file) {
  auto text = os::ReadFile(file, kMaxEnvelopeBytes * 2);  // people indent
  if (!text) return std::move(text).error();
  auto envelope = DecodeEnvelope(*text);
  if (!envelope) return std::move(envelope).error().During(file);
  if (envelope->payload_type == kActionType) return envelope;
  return Error(Errc::kInvalid, file + ": holds a " + envelope->payload_type + ", not an action");
}

ExitStatus Show(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string file;
  cli::Options options("mig action show FILE",
                       "Prints what a signed action says, as it was signed. Checks no signature.");
  options.Word("FILE", "an envelope, as `mig query -p` prints it", true, &file);
  options.Example("mig query file -path /etc -name hosts -p > a.json && mig action show a.json",
                  "the exact text that machines would be asked to obey");
  options.Example("mig action show a.json | jq .target", "only whom it is for");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto envelope = LoadEnvelope(file);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  auto payload = json::Parse(envelope->payload);
  if (!payload) return cli::Fail(terminal, std::move(payload).error().During(file));
  terminal.Data(cli::EscapeJson(json::WritePretty(*payload)) + "\n");
  // What is printed may be nonsense all the same: say so.
  if (auto action = DecodeAction(envelope->payload); !action) {
    return cli::Fail(terminal, std::move(action).error().During("no agent would obey this"));
  }
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus Verify(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string file;
  ConnectionOptions wanted;
  cli::Options options("mig action verify FILE",
                       "Checks a signed action against the deployment's policy, as the server "
                       "would: signatures,\nwho signed, and whether their weight is enough. The "
                       "agents decide for themselves.");
  options.Word("FILE", "an envelope, as `mig query -p` prints it", true, &file);
  wanted.AddConfigTo(options);
  options.Example("mig query file -path /etc -name hosts -p > a.json && mig action verify a.json",
                  "whether your own signature is enough");
  options.Example("mig action verify colleague.json", "before you trust it");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto envelope = LoadEnvelope(file);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  auto action = DecodeAction(envelope->payload);
  if (!action) return cli::Fail(terminal, std::move(action).error().During(file));
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) return cli::Fail(terminal, config.error());
  cli::ApiClient api(*config, {});
  auto policy = api.GetPolicy();
  if (!policy) return cli::Fail(terminal, policy.error());

  const SignatureCheck check = CheckSignatures(*envelope, *action, *policy);
  terminal.Data("action    " + action->id.Text() + "\n");
  terminal.Data("policy    version " + std::to_string(policy->policy().version) + "\n");
  if (action->org != config->org) {
    return cli::Fail(terminal, Error(Errc::kDenied, "the action is for another deployment"));
  }
  if (check.refused) {
    return cli::Fail(terminal, Error(Errc::kDenied, std::string(RefusalCode(check.refused->code)) +
                                                        ": " + check.refused->detail));
  }
  terminal.Data("signed by " + EscapeForTerminal(Join(check.people, ", ")) + "\n");
  if (!check.weight_reached) {
    return cli::Fail(terminal, Error(Errc::kDenied, "valid, but more people must sign it"));
  }
  terminal.Data("valid, and enough people signed\n");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

int RunAction(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty() && arguments[0] == "show") return Show(arguments.subspan(1), terminal);
  if (!arguments.empty() && arguments[0] == "verify") {
    return Verify(arguments.subspan(1), terminal);
  }
  cli::Options options("mig action show|verify FILE",
                       "Signed actions in files, as `mig query -p` prints them.\n\n"
                       "  show    what it says, as it was signed\n"
                       "  verify  who signed it, and whether that is enough");
  options.Example("mig action show a.json", "the text of the action");
  options.Example("mig action verify a.json", "whether agents would believe its signatures");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do: mig action show FILE, or mig action verify FILE");
  return cli::kUsage;
}

}  // namespace mig
