// mig action show|verify FILE: what a signed action says, and who signed it, without sending it.
// The other words: action_explain.cpp, action_sign.cpp, action_signature.cpp.
#include "roles/client/action_verb.h"
#include "cli/action_file.h"
#include "cli/explanation.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "proto/action.h"
#include "roles/client/action_signature.h"
#include "roles/client/client.h"
#include "roles/client/policy_source.h"
#include "trust/authorisation.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

Expected<Envelope> LoadEnvelope(const std::string& file) {
  auto loaded = cli::LoadActionFile(file);
  if (!loaded) return std::move(loaded).error();
  if (loaded->envelope) return std::move(*loaded->envelope);
  return Error(Errc::kInvalid, file +
                                   ": an action of MIG, which nobody has signed yet; see what it "
                                   "asks with: mig action explain " +
                                   file);
}

}  // namespace

ExitStatus RunActionShow(std::span<const std::string> words, cli::Terminal& terminal) {
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

ExitStatus RunActionVerify(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string file;
  PolicyOptions wanted;
  cli::Options options("mig action verify FILE",
                       "Checks a signed action against the deployment's policy, as the server "
                       "would: signatures,\nwho signed, and whether their weight is enough. The "
                       "agents decide for themselves.");
  options.Word("FILE", "an envelope, as `mig query -p` prints it", true, &file);
  wanted.AddTo(options, false);
  options.Example("mig query file -path /etc -name hosts -p > a.json && mig action verify a.json",
                  "whether your own signature is enough");
  options.Example("mig action verify colleague.json", "before you trust it");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto envelope = LoadEnvelope(file);
  if (!envelope) return cli::Fail(terminal, envelope.error());
  auto action = DecodeAction(envelope->payload);
  if (!action) return cli::Fail(terminal, std::move(action).error().During(file));
  auto found = FindPolicy(wanted);
  if (!found) return cli::Fail(terminal, found.error());
  const TrustedPolicy& policy = found->policy;

  const SignatureCheck check = CheckSignatures(*envelope, *action, policy);
  terminal.Data("action    " + action->id.Text() + "\n");
  terminal.Data("policy    version " + std::to_string(policy.policy().version) + ", of " +
                EscapeForTerminal(found->source) + "\n");
  if (action->org != policy.policy().org) {
    return cli::Fail(terminal, Error(Errc::kDenied, "the action is for another deployment"));
  }
  if (check.refused) {
    return cli::Fail(terminal, Error(Errc::kDenied, std::string(RefusalCode(check.refused->code)) +
                                                        ": " + check.refused->detail));
  }
  terminal.Data("signed by " + EscapeForTerminal(Join(check.people, ", ")) + "\n");
  if (!check.weight_reached) {
    const std::set<std::string> people(check.people.begin(), check.people.end());
    for (const std::string& line : cli::MissingLines(*action, people, policy)) {
      terminal.Data("missing   " + EscapeForTerminal(line) + "\n");
    }
    return cli::Fail(terminal, Error(Errc::kDenied, "valid, but more people must sign it"));
  }
  terminal.Data("valid, and enough people signed\n");
  return cli::Finish(terminal, cli::kFound);
}

namespace {

struct Word {
  std::string_view name;
  ExitStatus (*run)(std::span<const std::string> words, cli::Terminal& terminal);
};
// To add one: a line here, one in the help below, its function in action_verb.h.
constexpr Word kWords[] = {{"add-signature", &RunActionAddSignature},
                           {"asc", &RunActionAsc},
                           {"explain", &RunActionExplain},
                           {"pae", &RunActionPae},
                           {"show", &RunActionShow},
                           {"sign", &RunActionSign},
                           {"verify", &RunActionVerify}};

}  // namespace

int RunAction(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  for (const Word& word : kWords) {
    if (!arguments.empty() && arguments[0] == word.name) {
      return word.run(arguments.subspan(1), terminal);
    }
  }
  cli::Options options(
      "mig action VERB FILE",
      "Actions in files: signed ones, as `mig query -p` prints them, and those of "
      "MIG.\n\n"
      "  explain        what it asks, of whom, who signed it and who must, in plain words\n"
      "  show           what it says, as it was signed\n"
      "  sign           adds your signature\n"
      "  verify         who signed it, and whether that is enough\n"
      "  pae            the bytes that are signed, for gpg and ssh-keygen\n"
      "  add-signature  takes in what they signed\n"
      "  asc            your signature, for gpg --verify");
  options.Example("mig action explain a.json", "before you sign it");
  options.Example("mig action verify a.json", "whether agents would believe its signatures");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do: mig action explain|show|sign|verify FILE");
  return cli::kUsage;
}

}  // namespace mig
