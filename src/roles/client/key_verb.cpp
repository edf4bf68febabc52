// mig key new|show: the investigator's own key.
#include <filesystem>

#include "cli/client_config.h"
#include "cli/secret_key.h"
#include "cli/verb.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "proto/ids.h"
#include "roles/client/client.h"
#include "util/clock.h"

namespace mig {
namespace {

namespace fs = std::filesystem;
using cli::ExitStatus;

constexpr std::size_t kMaxKeyFileBytes = 64 * 1024;

// -key and MIG_KEY aside, where one's own key is.
Expected<fs::path> OwnKeyFile() {
  auto folder = cli::UserConfigFolder(cli::ProcessEnvironment);
  if (!folder) return folder;
  return *folder / "investigator.key";
}

std::string KeyIdOf(const PublicKey& key) {
  return KeyId::FromBytes(key.Fingerprint()).value().Text();
}

ExitStatus NewKey(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string name, out;
  bool no_passphrase = false;
  std::uint64_t descriptor = 0;
  cli::Options options("mig key new --name 'FULL NAME <MAIL>' [--out FILE]",
                       "Makes your signing key and prints its public line, which the people who "
                       "keep the root\nkeys put into the policy. The secret never leaves this "
                       "machine.");
  options.Text("name", 'n', "'NAME <MAIL>'", "whose key it is; stays with it for ever", &name);
  options.Text("out", 'o', "FILE",
               "where to write it (default: investigator.key beside client.yaml)", &out);
  options.Integer("passphrase-fd", '\0', "N", "read the passphrase from descriptor N", 0, 1023,
                  &descriptor);
  options.Flag("no-passphrase", '\0', "write the key unprotected, for machines and trials",
               &no_passphrase);
  options.Example("mig key new --name 'Ada Lovelace <ada@example.net>'",
                  "asks for a passphrase and writes ~/.config/mig/investigator.key");
  options.Example("mig key new --name 'CI <ci@example.net>' --no-passphrase --out ci.key",
                  "an unprotected key for a machine");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (!IsKeyName(name)) {
    return cli::Fail(terminal, Error(Errc::kInvalid,
                                     "--name: say whose key it is, as in: mig key new --name 'Ada "
                                     "Lovelace <ada@example.net>'"));
  }
  auto file = out.empty() ? OwnKeyFile() : Expected<fs::path>(fs::path(out));
  if (!file) return cli::Fail(terminal, file.error());

  // Before anybody has typed a passphrase twice for nothing.
  std::error_code error;
  if (fs::exists(*file, error)) {
    return cli::Fail(terminal,
                     Error(Errc::kExists, file->string() +
                                              " exists already and is never overwritten; see it "
                                              "with `mig key show " +
                                              file->string() + "`, or choose another --out"));
  }
  if (out.empty()) {
    auto folder = os::MakePrivateDirectory(file->parent_path());
    if (!folder) return cli::Fail(terminal, folder.error());
  }
  Bytes passphrase;
  if (!no_passphrase) {
    cli::PassphraseSource source;
    if (options.Given("passphrase-fd")) source.descriptor = static_cast<int>(descriptor);
    auto asked = cli::NewPassphrase(source);
    if (!asked) return cli::Fail(terminal, asked.error());
    passphrase = std::move(*asked);
  }
  const KeyFile key{name, Now(), SecretKey::Generate()};
  auto text = WriteKeyFile(key, passphrase);
  WipeBytes(passphrase);
  if (!text) return cli::Fail(terminal, text.error());
  auto written = os::WriteNewFile(*file, *text, 0600);
  WipeBytes(*text);
  if (!written) return cli::Fail(terminal, written.error());

  terminal.Remark("Wrote " + file->string() + (no_passphrase ? ", unprotected." : "."));
  terminal.Remark("This is its public line, for the policy:");
  terminal.Data(WritePublicLine(key.secret.public_key(), key.name) + "\n");
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus ShowKey(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string named;
  cli::Options options("mig key show [FILE]",
                       "Prints the public line of a key file and its key id. No passphrase is "
                       "needed.");
  options.Word("FILE", "the key file (default: the one the verbs sign with)", false, &named);
  options.Example("mig key show", "your own public line, for the policy");
  options.Example("mig key show ci.key", "that of another key file");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  fs::path file = named;
  if (named.empty()) {
    // The key that a query would sign with; where nothing is configured yet, one's own.
    auto config = cli::FindClientConfig({}, cli::ProcessEnvironment);
    auto own = config ? Expected<fs::path>(config->key.file) : OwnKeyFile();
    if (!own) return cli::Fail(terminal, own.error());
    file = *own;
  }
  auto text = os::ReadFile(file, kMaxKeyFileBytes);
  if (!text) return cli::Fail(terminal, text.error());
  // A public line in a file of its own will do, too.
  auto half = text->starts_with("mig-") ? ReadPublicLine(text->substr(0, text->find('\n')))
                                        : PublicHalf(*text);
  WipeBytes(*text);
  if (!half) return cli::Fail(terminal, std::move(half).error().During(file.string()));
  terminal.Data(WritePublicLine(half->key, half->name) + "\n");
  terminal.Remark("file    " + file.string());
  terminal.Remark("key id  " + KeyIdOf(half->key));
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

int RunKey(std::span<const std::string> arguments) {
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty() && arguments[0] == "new") return NewKey(arguments.subspan(1), terminal);
  if (!arguments.empty() && arguments[0] == "show") return ShowKey(arguments.subspan(1), terminal);
  cli::Options options("mig key new|show …",
                       "Your signing key: make one, or see its public half.\n\n"
                       "  new   makes a key file; see `mig key new --help`\n"
                       "  show  prints the public line for the policy; see `mig key show --help`");
  options.Example("mig key new --name 'Ada Lovelace <ada@example.net>'", "makes your key");
  options.Example("mig key show", "prints your public line");
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  terminal.Complain("say what to do with the key: mig key new, or mig key show");
  return cli::kUsage;
}

}  // namespace mig
