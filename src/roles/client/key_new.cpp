// mig key new: makes a key file.
#include "cli/verb.h"
#include "crypto/key_file.h"
#include "crypto/public_key_line.h"
#include "os/files.h"
#include "roles/client/key_verb.h"
#include "util/clock.h"

namespace mig {

cli::ExitStatus RunKeyNew(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string name, out;
  bool no_passphrase = false;
  PassphraseOption passphrase_option;
  cli::Options options("mig key new --name 'FULL NAME <MAIL>' [--out FILE]",
                       "Makes your signing key and prints its public line, which the people who "
                       "keep the root\nkeys put into the policy. The secret never leaves this "
                       "machine.");
  options.Text("name", 'n', "'NAME <MAIL>'", "whose key it is; stays with it for ever", &name);
  options.Text("out", 'o', "FILE",
               "where to write it (default: investigator.key beside client.yaml)", &out);
  passphrase_option.AddTo(options, "passphrase-fd", "read the passphrase from descriptor N");
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
  auto file = NewKeyPlace(out);
  if (!file) return cli::Fail(terminal, file.error());
  Bytes passphrase;
  if (!no_passphrase) {
    auto asked = cli::NewPassphrase(passphrase_option.Source(options));
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
  terminal.Data(WritePublicLine({"ed25519", Bytes(key.secret.public_key().View()), key.name}) +
                "\n");
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
