// mig key list|show|use: which keys there are, and which one signs.
#include <optional>

#include "cli/config_edit.h"
#include "cli/table.h"
#include "cli/terminal_json.h"
#include "cli/verb.h"
#include "crypto/public_key_line.h"
#include "crypto/ssh_key.h"
#include "os/files.h"
#include "roles/client/key_verb.h"
#include "util/json.h"
#include "util/text.h"

namespace mig {
namespace {

namespace fs = std::filesystem;
using cli::KnownKey;

constexpr std::size_t kShortId = 16;

// The same key under the names that a configuration and a list give it.
bool IsThat(const KnownKey& key, const std::optional<KnownKey>& used) {
  return used && key.choice == used->choice;
}

json::object ToJson(const KnownKey& key, bool used) {
  json::object fields{{"key", cli::KeyChoiceText(key.choice)},
                      {"name", key.name},
                      {"protection", key.protection},
                      {"used", used},
                      {"usable", key.why_not.empty()}};
  if (!key.id.empty()) {
    fields["id"] = key.id;
    fields["type"] = key.type;
  }
  if (key.why_not.empty()) {
    fields["public"] = cli::PublicLineOf(key);
  } else {
    fields["reason"] = key.why_not;
  }
  return fields;
}

// In a public line file there is nothing to look up.
std::optional<Expected<PublicKeyLine>> LineInFile(const fs::path& file) {
  auto text = os::ReadFile(file, cli::kMaxKeyFileBytes);
  if (!text) return {};
  const std::string line = text->substr(0, text->find('\n'));
  WipeBytes(*text);
  if (!line.starts_with("mig-") && !ssh::LooksLikePublicLine(line)) return {};
  auto read = ReadPublicLine(line);
  if (!read) return Expected<PublicKeyLine>(std::move(read).error().During(file.string()));
  if (read->name.empty()) read->name = file.filename().string();
  return read;
}

}  // namespace

cli::ExitStatus RunKeyList(std::span<const std::string> words, cli::Terminal& terminal) {
  bool as_json = false;
  cli::ConfigOptions config;
  cli::Options options("mig key list [--json]",
                       "Lists the keys that you could sign with here: key files in "
                       "~/.config/mig, and what ssh-agent and\ngpg hold. Asks for no passphrase.");
  options.Flag("json", '\0', "one JSON document", &as_json);
  options.Text("config", 'c', "FILE",
               "the deployment (default: MIG_CONFIG, ~/.config/mig/client.yaml, the lab)",
               &config.config);
  options.Example("mig key list", "one line a key; * is the one that signs");
  options.Example("mig key list --json | jq -r '.keys[] | select(.usable) | .public'",
                  "all public lines");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  std::optional<cli::KeyChoice> configured;
  std::optional<KnownKey> used;
  auto own = cli::OwnKey(config, cli::ProcessEnvironment);
  if (own) configured = *own;
  const cli::KnownKeys found = cli::FindKeys(configured, cli::ProcessEnvironment);
  if (configured) {
    if (auto key = cli::LookUpKey(*configured, cli::ProcessEnvironment)) used = std::move(*key);
  }
  bool usable = false;
  for (const KnownKey& key : found.keys) usable = usable || key.why_not.empty();
  const cli::ExitStatus status = usable ? cli::kFound : cli::kNothing;
  if (as_json) {
    json::array keys, remarks;
    for (const KnownKey& key : found.keys) keys.push_back(ToJson(key, IsThat(key, used)));
    for (const std::string& remark : found.remarks) remarks.push_back(json::value(remark));
    const json::object document{{"keys", std::move(keys)}, {"remarks", std::move(remarks)}};
    terminal.Data(cli::EscapeJson(json::WritePretty(document)) + "\n");
    return cli::Finish(terminal, status);
  }
  cli::Table table(
      {{""}, {"KEY", false, true}, {"NAME", false, true}, {"TYPE"}, {"PROTECTION"}, {"KEY ID"}});
  for (const KnownKey& key : found.keys) {
    table.Add({IsThat(key, used) ? "*" : "", cli::KeyChoiceText(key.choice), key.name,
               key.type.empty() ? "-" : key.type,
               key.protection + (key.why_not.empty() ? "" : " (" + key.why_not + ")"),
               key.id.substr(0, kShortId)});
  }
  if (!found.keys.empty()) {
    terminal.Data(table.Render(terminal.facts().out_is_terminal ? terminal.facts().width : 0));
  }
  for (const std::string& remark : found.remarks) terminal.Remark(remark, cli::Style::kDim);
  if (!usable) {
    terminal.Remark("No key here can sign. Make one with: mig key new --name 'Your Name <mail>'");
  } else if (!used) {
    terminal.Remark(
        "None of them is the one the verbs sign with. Choose one with: mig key use "
        "KEY");
  }
  return cli::Finish(terminal, status);
}

cli::ExitStatus RunKeyShow(std::span<const std::string> words, cli::Terminal& terminal) {
  KeyWord word;
  cli::Options options("mig key show [KEY]",
                       "Prints the public line of a key and its key id. No passphrase is "
                       "needed.");
  word.AddTo(options);
  options.Example("mig key show", "your own public line, for the policy");
  options.Example("mig key show ~/.ssh/id_ed25519.pub", "that of a line of OpenSSH");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto choice = word.Choice();
  if (!choice) return cli::Fail(terminal, choice.error());
  if (choice->kind == cli::KeyChoice::Kind::kFile) {
    if (auto line = LineInFile(choice->file)) {
      if (!*line) return cli::Fail(terminal, line->error());
      terminal.Data(WritePublicLine(**line) + "\n");
      return cli::Finish(terminal, cli::kFound);
    }
  }
  auto key = cli::LookUpKey(*choice, cli::ProcessEnvironment);
  if (!key) return cli::Fail(terminal, key.error());
  terminal.Data(cli::PublicLineOf(*key) + "\n");
  terminal.Remark("key     " + cli::KeyChoiceText(key->choice) + " (" + key->protection + ")");
  terminal.Remark("key id  " + key->id);
  return cli::Finish(terminal, cli::kFound);
}

cli::ExitStatus RunKeyUse(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string text;
  cli::ConfigOptions config;
  cli::Options options("mig key use KEY",
                       "Writes into the client's configuration which key the verbs sign with. "
                       "Everything else in that\nfile stays as it is.");
  options.Word("KEY", "a key file, ssh:SHA256:… or gpg:FINGERPRINT; `mig key list` shows them",
               true, &text);
  options.Text("config", 'c', "FILE",
               "the file to change (default: MIG_CONFIG, ~/.config/mig/client.yaml, the lab's)",
               &config.config);
  options.Example("mig key use gpg:ada@example.net", "gpg, and so a smart card");
  options.Example("mig key use ssh:SHA256:QDHAmu2p78gQG3LBRZs6+KZ8x6OPqXqG8sn1fsjUk5Q",
                  "a key of ssh-agent; a FIDO key must be touched for each signature");
  options.Example("mig key use ~/.config/mig/investigator.key", "a key file again");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto choice = cli::ParseKeyChoice(text, fs::current_path());
  if (!choice) return cli::Fail(terminal, choice.error());
  auto key = cli::LookUpKey(*choice, cli::ProcessEnvironment);
  if (!key) return cli::Fail(terminal, key.error());
  if (!key->why_not.empty()) {
    return cli::Fail(terminal, Error(Errc::kInvalid, cli::KeyChoiceText(key->choice) +
                                                         ": cannot sign for mig: " + key->why_not));
  }
  auto file = cli::FindClientConfigFile(config, cli::ProcessEnvironment);
  if (!file) return cli::Fail(terminal, file.error());
  if (!*file) {
    return cli::Fail(
        terminal,
        Error(Errc::kNotFound,
              "no deployment is configured: neither ~/.config/mig/client.yaml nor a lab is here. "
              "Copy examples/config/client.yaml to that place first, or name one with -config "
              "FILE, or set for this shell: export MIG_KEY=" +
                  cli::KeyChoiceText(key->choice)));
  }
  const auto before = os::ReadFile(**file);
  if (!before) return cli::Fail(terminal, before.error());
  const std::string value = cli::KeyChoiceText(key->choice);
  auto after = cli::SetTopLevelValue(*before, "key", value);
  if (!after) return cli::Fail(terminal, std::move(after).error().During((*file)->string()));
  // What was written must be what is read, or the file stays as it was.
  std::error_code error;
  const auto mode = static_cast<unsigned>(fs::status(**file, error).permissions()) & 0777u;
  if (auto written = os::WriteFileAtomically(**file, *after, error ? 0600 : mode); !written) {
    return cli::Fail(terminal, written.error());
  }
  auto read = cli::LoadClientConfig(**file);
  if (!read || read->key != key->choice) {
    if (auto back = os::WriteFileAtomically(**file, *before, error ? 0600 : mode); !back) {
      return cli::Fail(terminal, back.error());
    }
    Error reason = read ? Error(Errc::kInvalid,
                                (*file)->string() + ": `key:` there is not written on one line")
                        : std::move(read).error();
    return cli::Fail(
        terminal, Error(reason.code(),
                        reason.message() + "; nothing was changed. Put in by hand: key: " + value));
  }
  terminal.Remark("The verbs now sign with " + value + " (" + (*file)->string() + ").");
  if (const std::string variable = cli::ProcessEnvironment("MIG_KEY"); !variable.empty()) {
    terminal.Remark("But MIG_KEY is set, and goes before the file: " + variable,
                    cli::Style::kYellow);
  }
  terminal.Remark("This is its public line; it must stand in the policy:");
  terminal.Data(cli::PublicLineOf(*key) + "\n");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
