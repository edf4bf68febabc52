// mig policy …: the table of its verbs, and what several of them share.
#include "cli/key_choice.h"
#include "cli/policy_words.h"
#include "cli/verb.h"
#include "roles/client/client.h"
#include "roles/client/policy_verbs.h"
#include "util/text.h"

namespace mig {
namespace {

struct PolicyVerb {
  const char* name;
  const char* summary;
  cli::ExitStatus (*run)(Words words, cli::Terminal& terminal);
};

// In the order of the help. To add one: a function in policy_verbs.h, a line here.
constexpr PolicyVerb kPolicyVerbs[] = {
    {"init", "begins a deployment: root keys and a first draft", &PolicyInit},
    {"show", "what a policy says: the one in force, or a file", &PolicyShow},
    {"edit", "opens the draft in your editor and says what it changes", &PolicyEdit},
    {"add-person", "puts a person or another key of one into the draft", &PolicyAddPerson},
    {"remove-person", "takes a person out of the draft", &PolicyRemovePerson},
    {"import-acl", "writes MIG's access control list into the draft", &PolicyImportAcl},
    {"revoke", "makes a key count for nothing", &PolicyRevoke},
    {"set", "one field of the draft, by its path", &PolicySet},
    {"renew", "the same policy for another term", &PolicyRenew},
    {"check", "whether a draft is a policy", &PolicyCheck},
    {"sign", "adds a root key's signature", &PolicySign},
    {"publish", "sends what is signed to the server, or writes it for one", &PolicyPublish},
    {"pull", "takes the documents in force as the beginning of a draft", &PolicyPull},
    {"log", "every version, who signed it, and what it changed", &PolicyLog},
    {"root", "the root keys: show, add-key, remove-key, threshold", &PolicyRoot},
    {"fresh", "states that the policy in force is the newest", &PolicyFresh},
};

}  // namespace

void AddFolderTo(cli::Options& options, std::string* folder) {
  options.Text("dir", 'd', "DIR", "where you work on the policy (default: ~/.config/mig/policy)",
               folder);
}

Expected<std::unique_ptr<Signer>> OpenPolicyKey(const ConnectionOptions& wanted,
                                                const cli::Options& options) {
  if (!wanted.config.key.empty()) {
    auto choice = cli::ParseKeyChoice(wanted.config.key, std::filesystem::current_path());
    if (!choice) return std::move(choice).error().During("--key");
    return cli::OpenSigner(*choice, wanted.Passphrase(options), cli::ProcessEnvironment);
  }
  auto config = cli::FindClientConfig(wanted.config, cli::ProcessEnvironment);
  if (!config) {
    return Error(Errc::kInvalid,
                 "name the key to sign with: --key FILE, --key ssh:SHA256:… or "
                 "--key gpg:FINGERPRINT");
  }
  return cli::OpenSigner(config->key, wanted.Passphrase(options), cli::ProcessEnvironment);
}

Expected<std::string> ChangesText(const cli::SigningBundle& documents,
                                  const std::optional<cli::SigningBundle>& published) {
  std::vector<std::string> words;
  const std::size_t known = published ? published->roots.size() : 0;
  for (std::size_t i = known; i < documents.roots.size(); ++i) {
    auto root = cli::RootIn(documents, i);
    if (!root) return std::move(root).error();
    const auto lines = [&]() -> Expected<std::vector<std::string>> {
      if (i == 0) return cli::DescribeRoot(*root);
      auto before = cli::RootIn(documents, i - 1);
      if (!before) return std::move(before).error();
      return cli::RootChanges(*before, *root);
    }();
    if (!lines) return lines.error();
    if (i > 0) words.push_back("root version " + std::to_string(i + 1) + ":");
    for (const std::string& line : *lines) words.push_back((i > 0 ? "  " : "") + line);
  }
  if (documents.policy) {
    auto policy = cli::PolicyIn(documents);
    if (!policy) return std::move(policy).error();
    if (published && published->policy) {
      auto before = cli::PolicyIn(*published);
      if (!before) return std::move(before).error();
      if (before->version != policy->version) {
        words.push_back("policy version " + std::to_string(policy->version) + ", against version " +
                        std::to_string(before->version) + " that was published:");
      }
      for (const std::string& line : cli::PolicyChanges(*before, *policy)) {
        words.push_back("  " + line);
      }
    } else {
      words.push_back("policy, of which nothing was published yet:");
      for (const std::string& line : cli::DescribePolicy(*policy)) words.push_back("  " + line);
    }
  }
  std::string text;
  for (const std::string& line : words) text += EscapeForTerminal(line) + "\n";
  return text;
}

cli::ExitStatus TellOfDraft(const PolicyFolder& folder, bool renew, cli::Terminal& terminal) {
  auto taken = TakeDraft(folder, renew, Now());
  if (!taken) return cli::Fail(terminal, taken.error());
  auto documents = folder.LoadDocuments();
  if (!documents) return cli::Fail(terminal, documents.error());
  auto published = folder.LoadPublished();
  if (!published) return cli::Fail(terminal, published.error());
  auto changes = ChangesText(*documents, *published);
  if (!changes) return cli::Fail(terminal, changes.error());
  if (changes->empty()) {
    terminal.Remark("The draft says what is published: nothing to sign.");
    return cli::Finish(terminal, cli::kFound);
  }
  terminal.Data(*changes);
  auto missing = cli::MissingIn(*documents);
  if (!missing) return cli::Fail(terminal, missing.error());
  for (const auto& lack : *missing) terminal.Remark(cli::MissingText(lack) + ".");
  terminal.Remark(missing->empty() ? "All signatures are there: mig policy publish"
                                   : "Have it signed: mig policy sign --key ROOT_KEY");
  return cli::Finish(terminal, cli::kFound);
}

int RunPolicy(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty()) {
    for (const PolicyVerb& verb : kPolicyVerbs) {
      if (arguments[0] == verb.name) return verb.run(arguments.subspan(1), terminal);
    }
  }
  std::string usage = "mig policy ", summary =
                                         "Who may order what: people, keys, weights and limits, "
                                         "signed by the root keys.\n";
  std::vector<std::string> names;
  for (const PolicyVerb& verb : kPolicyVerbs) {
    std::string name(verb.name);
    names.push_back(name);
    usage += (names.size() > 1 ? "|" : "") + name;
    name.resize(14, ' ');
    summary += "\n  " + name + verb.summary;
  }
  cli::Options options(usage + " …", summary);
  options.Note("docs/policy.md goes through the first setup and everyday changes.");
  options.Example("mig policy show", "the policy in force, in plain words");
  options.Example("mig policy add-person bob --key 'mig-ed25519 …' --like ann", "a new colleague");
  if (!arguments.empty() && !arguments[0].starts_with('-')) {
    const std::string hint = DidYouMean(arguments[0], names);
    terminal.Complain("`" + arguments[0] + "` is no verb of `mig policy`" +
                      (hint.empty() ? "; see `mig policy --help`" : ", " + hint));
    return cli::kUsage;
  }
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do; `mig policy --help` lists it");
  return cli::kUsage;
}

}  // namespace mig
