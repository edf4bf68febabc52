// mig key export: our keys for other people's programs.
#include "cli/verb.h"
#include "crypto/key_file.h"
#include "crypto/openpgp_export.h"
#include "crypto/ssh_key.h"
#include "os/files.h"
#include "roles/client/key_verb.h"

namespace mig {
namespace {

using cli::ExitStatus;

ExitStatus ExportOpenPgp(const std::filesystem::path& file, bool secret,
                         const cli::PassphraseSource& source, const std::string& out,
                         cli::Terminal& terminal) {
  if (secret && out.empty() && terminal.facts().out_is_terminal) {
    return cli::Fail(terminal, Error(Errc::kInvalid,
                                     "a secret key is not written to a terminal; name a "
                                     "file with --out, or: … --secret | gpg --import"));
  }
  // Also the public half is signed by the key itself, so it must be opened.
  auto key = cli::OpenSecretKey(file, source);
  if (!key) return cli::Fail(terminal, key.error());
  auto text = secret ? openpgp::ExportSecret(key->file, key->passphrase.bytes)
                     : Expected<Wiped>(Wiped(Bytes()));
  if (!text) return cli::Fail(terminal, text.error());
  if (!secret) {
    auto exported = openpgp::ExportPublic(key->file);
    if (!exported) return cli::Fail(terminal, exported.error());
    text = Wiped(std::move(*exported));
  }
  if (out.empty()) {
    terminal.Data(text->bytes);
  } else if (auto written = os::WriteNewFile(out, text->bytes, secret ? 0600 : 0644); !written) {
    return cli::Fail(terminal, written.error());
  }
  if (auto fingerprint = openpgp::FingerprintV4(key->file)) {
    terminal.Remark("Its OpenPGP fingerprint is " + *fingerprint +
                    (!secret                         ? "."
                     : key->passphrase.bytes.empty() ? "; it is unprotected."
                                                     : "; its passphrase stays the same."));
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

ExitStatus RunKeyExport(std::span<const std::string> words, cli::Terminal& terminal) {
  KeyWord word;
  PassphraseOption passphrase;
  bool openpgp = false, ssh_line = false, secret = false;
  std::string out;
  cli::Options options("mig key export [KEY] [--openpgp [--secret] | --ssh]",
                       "Prints the public line of a key, or the key as OpenPGP or OpenSSH knows "
                       "it.");
  word.AddTo(options);
  options.Flag("openpgp", '\0', "an OpenPGP key, armoured, for gpg --import", &openpgp);
  options.Flag("secret", '\0', "with its secret, under the passphrase of the key file", &secret);
  options.Flag("ssh", '\0', "a line of OpenSSH", &ssh_line);
  options.Text("out", 'o', "FILE", "write it there", &out);
  passphrase.AddTo(options, "passphrase-fd", "read the passphrase from descriptor N");
  options.Example("mig key export --openpgp > ada.asc", "for those who verify with gpg");
  options.Example("mig key export --openpgp --secret | gpg --import", "sign with gpg from now on");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  if ((openpgp && ssh_line) || (secret && !openpgp)) {
    return cli::Fail(terminal, Error(Errc::kInvalid,
                                     "--openpgp and --ssh exclude each other, and --secret goes "
                                     "with --openpgp"));
  }
  if (openpgp) {
    auto file = word.File();
    if (!file) return cli::Fail(terminal, file.error());
    return ExportOpenPgp(*file, secret, passphrase.Source(options), out, terminal);
  }
  auto choice = word.Choice();
  if (!choice) return cli::Fail(terminal, choice.error());
  auto key = cli::LookUpKey(*choice, cli::ProcessEnvironment);
  if (!key) return cli::Fail(terminal, key.error());
  std::string line = cli::PublicLineOf(*key);
  if (ssh_line) {
    auto checked = ssh::CheckKey(key->type, key->key);
    if (!checked) return cli::Fail(terminal, checked.error());
    line = ssh::WritePublicLine(*checked, key->name);
  }
  line += '\n';
  if (out.empty()) {
    terminal.Data(line);
  } else if (auto written = os::WriteNewFile(out, line, 0644); !written) {
    return cli::Fail(terminal, written.error());
  }
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
