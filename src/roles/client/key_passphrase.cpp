// mig key passphrase: another passphrase for a key file, or none.
#include "cli/verb.h"
#include "crypto/key_file.h"
#include "os/files.h"
#include "roles/client/key_verb.h"

namespace mig {

cli::ExitStatus RunKeyPassphrase(std::span<const std::string> words, cli::Terminal& terminal) {
  KeyWord word;
  PassphraseOption now, then;
  bool remove = false;
  cli::Options options("mig key passphrase [KEY]",
                       "Writes a key file anew under another passphrase. The key stays the same. "
                       "Copies of the old file\nstill open with the old one.");
  word.AddTo(options);
  now.AddTo(options, "passphrase-fd", "read the present passphrase from descriptor N");
  then.AddTo(options, "new-passphrase-fd", "read the new one from descriptor N");
  options.Flag("remove", '\0', "leave the key unprotected", &remove);
  options.Example("mig key passphrase", "asks for the old one, and twice for the new one");
  options.Example("mig key passphrase --remove ci.key", "for a machine");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if (remove && options.Given("new-passphrase-fd")) {
    return cli::Fail(terminal,
                     Error(Errc::kInvalid, "--remove leaves no place for --new-passphrase-fd"));
  }
  auto file = word.File();
  if (!file) return cli::Fail(terminal, file.error());
  auto key = cli::LoadSecretKey(*file, now.Source(options));
  if (!key) return cli::Fail(terminal, key.error());
  Bytes passphrase;
  if (!remove) {
    auto asked = cli::NewPassphrase(then.Source(options));
    if (!asked) return cli::Fail(terminal, asked.error());
    passphrase = std::move(*asked);
  }
  auto text = WriteKeyFile(*key, passphrase);
  WipeBytes(passphrase);
  if (!text) return cli::Fail(terminal, text.error());
  auto written = os::WriteFileAtomically(*file, *text, 0600);
  WipeBytes(*text);
  if (!written) return cli::Fail(terminal, written.error());
  terminal.Remark(file->string() + (remove ? " is unprotected now: whoever has it can sign."
                                           : " has its new passphrase."));
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
