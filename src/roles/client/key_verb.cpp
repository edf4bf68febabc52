// mig key …: people's signing keys, wherever they are.
#include "roles/client/key_verb.h"

#include <algorithm>

#include "cli/verb.h"
#include "os/files.h"
#include "roles/client/client.h"

namespace mig {
namespace {

namespace fs = std::filesystem;

// In the order of the help. To add one: a line here, its declaration in key_verb.h, and its file.
constexpr KeyVerb kKeyVerbs[] = {
    {"new", "makes a key file and prints its public line", &RunKeyNew},
    {"list", "the keys here: files, ssh-agent's, gpg's", &RunKeyList},
    {"show", "the public line of a key, for the policy", &RunKeyShow},
    {"use", "which key the verbs sign with", &RunKeyUse},
    {"import", "takes in a key of gpg or OpenSSH", &RunKeyImport},
    {"export", "a key for gpg or OpenSSH", &RunKeyExport},
    {"passphrase", "changes, sets or removes the passphrase of a key file", &RunKeyPassphrase},
    {"unlock", "holds the opened key for some hours", &RunKeyUnlock},
    {"lock", "ends that", &RunKeyLock},
    {"agent", "as unlock, in the foreground", &RunKeyAgent},
};

}  // namespace

void KeyWord::AddTo(cli::Options& options) {
  options.Word("KEY",
               "a key file, ssh:SHA256:… or gpg:FINGERPRINT (default: the one the verbs sign with)",
               false, &text);
  options.Text("config", 'c', "FILE",
               "the deployment (default: MIG_CONFIG, ~/.config/mig/client.yaml, the lab)",
               &config.config);
}

Expected<cli::KeyChoice> KeyWord::Choice() const {
  if (!text.empty()) return cli::ParseKeyChoice(text, fs::current_path());
  return cli::OwnKey(config, cli::ProcessEnvironment);
}

Expected<fs::path> KeyWord::File() const {
  auto choice = Choice();
  if (!choice) return std::move(choice).error();
  if (choice->kind == cli::KeyChoice::Kind::kFile) return choice->file;
  return Error(Errc::kInvalid, cli::KeyChoiceText(*choice) +
                                   ": its secret is with another program and never comes here; "
                                   "this needs a key file of mig");
}

void PassphraseOption::AddTo(cli::Options& options, const std::string& option,
                             const std::string& help) {
  name = option;
  options.Integer(option, '\0', "N", help, 0, 1023, &descriptor);
}

cli::PassphraseSource PassphraseOption::Source(const cli::Options& options) const {
  cli::PassphraseSource source;
  if (options.Given(name)) source.descriptor = static_cast<int>(descriptor);
  return source;
}

Expected<fs::path> NewKeyPlace(const std::string& out) {
  fs::path file = out;
  if (out.empty()) {
    auto folder = cli::UserConfigFolder(cli::ProcessEnvironment);
    if (!folder) return folder;
    file = *folder / "investigator.key";
  }
  // Before anybody has typed a passphrase twice for nothing.
  std::error_code error;
  if (fs::exists(file, error)) {
    return Error(Errc::kExists, file.string() +
                                    " exists already and is never overwritten; see it with `mig "
                                    "key show " +
                                    file.string() + "`, or choose another --out");
  }
  if (out.empty()) {
    if (auto made = os::MakePrivateDirectory(file.parent_path()); !made) {
      return std::move(made).error();
    }
  }
  return file;
}

int RunKey(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty()) {
    for (const KeyVerb& verb : kKeyVerbs) {
      if (arguments[0] == verb.name) return verb.run(arguments.subspan(1), terminal);
    }
  }
  std::size_t width = 0;
  for (const KeyVerb& verb : kKeyVerbs) width = std::max(width, verb.name.size());
  std::string verbs;
  for (const KeyVerb& verb : kKeyVerbs) {
    std::string name(verb.name);
    name.resize(width, ' ');
    verbs += "\n  " + name + "  " + std::string(verb.summary);
  }
  cli::Options options("mig key VERB …",
                       "Your signing keys: make them, find them, carry them over.\n" + verbs);
  options.Example("mig key new --name 'Ada Lovelace <ada@example.net>'", "makes your key");
  options.Example("mig key list", "what you could sign with here");
  options.Example("mig key use gpg:ada@example.net", "sign with gpg, also by a smart card");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do with the key; `mig key --help` lists it");
  return cli::kUsage;
}

}  // namespace mig
