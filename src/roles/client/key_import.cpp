// mig key import: keys of GnuPG and OpenSSH as ours; public ones as lines for the policy.
#include <optional>

#include "cli/person_keys.h"
#include "cli/verb.h"
#include "crypto/key_file.h"
#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_certificate.h"
#include "crypto/public_key_line.h"
#include "crypto/ssh_key.h"
#include "crypto/wiped.h"
#include "os/files.h"
#include "roles/client/key_verb.h"
#include "util/text.h"

namespace mig {
namespace {

namespace fs = std::filesystem;
using cli::ExitStatus;

constexpr std::size_t kMaxImportBytes = openpgp::kMaxArmorBytes;
constexpr std::string_view kOpenSshPrivate = "-----BEGIN OPENSSH PRIVATE KEY-----";
constexpr std::string_view kMigPrivate = "-----BEGIN MIG PRIVATE KEY-----";

struct Import {
  fs::path from;
  std::string out, key;  // --out, --key
  PassphraseOption passphrase;
  bool no_passphrase = false;
};

Expected<void> WriteKey(const fs::path& file, const KeyFile& key, std::string_view passphrase) {
  auto text = WriteKeyFile(key, passphrase);
  if (!text) return std::move(text).error();
  auto written = os::WriteNewFile(file, *text, 0600);
  WipeBytes(*text);
  return written;
}

void TellLine(const PublicKeyLine& line, cli::Terminal& terminal) {
  terminal.Remark("This is its public line, for the policy:");
  terminal.Data(WritePublicLine(line) + "\n");
}

ExitStatus ImportLine(const Import& import, std::string_view text, cli::Terminal& terminal) {
  auto line = ReadPublicLine(text.substr(0, text.find('\n')));
  if (!line) return cli::Fail(terminal, std::move(line).error().During(import.from.string()));
  if (line->name.empty()) line->name = import.from.filename().string();
  terminal.Remark(import.from.string() + ": a public key (" + line->type + ") of " + line->name +
                  ". Its secret stays where it is.");
  TellLine(*line, terminal);
  return cli::Finish(terminal, cli::kFound);
}

std::string Describe(const openpgp::CertificateKey& key) {
  std::string text = std::string(key.is_primary ? "primary key " : "subkey ") + key.fingerprint;
  if (key.material) text += " (" + std::string(key.material->Type()) + ")";
  text += key.secret ? ", with its secret" : ", public";
  if (key.expires) text += ", until " + FormatRfc3339(*key.expires);
  return text + (key.MaySign() ? ": may sign" : ": cannot sign for mig: " + key.why_not);
}

std::string NameOf(const openpgp::Certificate& certificate, const openpgp::CertificateKey& key) {
  for (const std::string& name : certificate.user_ids) {
    if (IsKeyName(name)) return name;
  }
  return key.fingerprint;
}

struct Choice {
  const openpgp::Certificate* certificate = nullptr;
  const openpgp::CertificateKey* key = nullptr;
};

// The key that is meant: the one named, else the first that may sign, one with a secret first.
Choice Choose(const std::vector<openpgp::Certificate>& certificates, const std::string& named) {
  Choice chosen;
  for (const openpgp::Certificate& certificate : certificates) {
    for (const openpgp::CertificateKey& key : certificate.keys) {
      if (!named.empty() ? !key.fingerprint.ends_with(named) : !key.MaySign()) continue;
      const bool better = chosen.key == nullptr || (!chosen.key->secret && key.secret.has_value());
      if (better) chosen = {&certificate, &key};
    }
  }
  return chosen;
}

ExitStatus ImportOpenPgp(const Import& import, std::string_view text, const cli::Options& options,
                         cli::Terminal& terminal) {
  auto certificates = openpgp::ReadCertificates(text, Now());
  if (!certificates) {
    return cli::Fail(terminal, std::move(certificates).error().During(import.from.string()));
  }
  for (const openpgp::Certificate& certificate : *certificates) {
    terminal.Remark(import.from.string() + ": an OpenPGP key of " +
                    (certificate.user_ids.empty() ? std::string("nobody (no valid user id)")
                                                  : Join(certificate.user_ids, ", ")));
    for (const openpgp::CertificateKey& key : certificate.keys) {
      terminal.Remark("  " + Describe(key));
    }
  }
  const Choice chosen = Choose(*certificates, import.key);
  if (chosen.key == nullptr || !chosen.key->MaySign()) {
    return cli::Fail(
        terminal,
        Error(Errc::kInvalid,
              import.from.string() +
                  (import.key.empty() ? ": no key in it can sign for mig"
                                      : ": the key " + import.key + " cannot sign for mig") +
                  " (see above). What will do is " +
                  cli::RemedyFor(chosen.certificate != nullptr ? *chosen.certificate
                                                               : certificates->front())));
  }
  const PublicKeyLine line{std::string(chosen.key->material->Type()),
                           chosen.key->material->Material(),
                           NameOf(*chosen.certificate, *chosen.key)};
  if (!chosen.key->secret) {
    terminal.Remark("Only its public half is here. To sign with it: mig key use gpg:" +
                    chosen.key->fingerprint);
    TellLine(line, terminal);
    return cli::Finish(terminal, cli::kFound);
  }
  if (chosen.key->material->Ed25519() == nullptr) {
    return cli::Fail(terminal, Error(Errc::kUnsupported,
                                     "an RSA secret stays with gpg; sign with it "
                                     "through: mig key use gpg:" +
                                         chosen.key->fingerprint));
  }
  auto place = NewKeyPlace(import.out);
  if (!place) return cli::Fail(terminal, place.error());
  Wiped passphrase{Bytes()};
  if (chosen.key->secret->NeedsPassphrase()) {
    auto asked =
        cli::AskPassphrase(import.passphrase.Source(options), "Passphrase of the OpenPGP key: ");
    if (!asked) return cli::Fail(terminal, asked.error());
    passphrase = Wiped(std::move(*asked));
  } else if (!import.no_passphrase) {
    // It comes in clear; it need not stay so.
    auto asked = cli::NewPassphrase(import.passphrase.Source(options));
    if (!asked) return cli::Fail(terminal, asked.error());
    passphrase = Wiped(std::move(*asked));
  }
  auto key = openpgp::OpenSecret(*chosen.certificate, *chosen.key, passphrase.bytes);
  if (!key) return cli::Fail(terminal, std::move(key).error().During(import.from.string()));
  const std::string_view protection =
      import.no_passphrase ? std::string_view() : std::string_view(passphrase.bytes);
  if (auto written = WriteKey(*place, *key, protection); !written) {
    return cli::Fail(terminal, written.error());
  }
  terminal.Remark("Wrote " + place->string() +
                  (import.no_passphrase ? ", unprotected."
                                        : ", under the same passphrase. To sign with it: mig key "
                                          "use file:" +
                                              place->string()));
  TellLine(line, terminal);
  return cli::Finish(terminal, cli::kFound);
}

// A key file of ours: copied as it is, its protection included.
ExitStatus ImportKeyFile(const Import& import, std::string_view text, cli::Terminal& terminal) {
  auto owner = PublicHalf(text);
  if (!owner) return cli::Fail(terminal, std::move(owner).error().During(import.from.string()));
  auto place = NewKeyPlace(import.out);
  if (!place) return cli::Fail(terminal, place.error());
  if (auto written = os::WriteNewFile(*place, text, 0600); !written) {
    return cli::Fail(terminal, written.error());
  }
  terminal.Remark(
      "Copied the key of " + owner->name + " to " + place->string() +
      ", its protection as it was. To sign with it: mig key use file:" + place->string());
  TellLine({"ed25519", Bytes(owner->key.View()), owner->name}, terminal);
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace

ExitStatus RunKeyImport(std::span<const std::string> words, cli::Terminal& terminal) {
  Import import;
  std::string from;
  cli::Options options("mig key import FILE [--out FILE]",
                       "Takes in a key: OpenPGP (armoured or binary, public or secret, Ed25519; "
                       "RSA public), a line of OpenSSH,\nor a key file of mig. Says what is in it, "
                       "and why something there cannot sign.");
  options.Word("FILE", "what `gpg --export[-secret-keys]` wrote, or id_ed25519.pub", true, &from);
  options.Text("out", 'o', "FILE",
               "where a secret key is written (default: investigator.key beside client.yaml)",
               &import.out);
  options.Text("key", '\0', "FINGERPRINT", "which key, where there are several", &import.key);
  import.passphrase.AddTo(options, "passphrase-fd", "read the passphrase from descriptor N");
  options.Flag("no-passphrase", '\0', "write the key unprotected, for machines and trials",
               &import.no_passphrase);
  options.Example("gpg --export-secret-keys ada@example.net > ada.gpg && mig key import ada.gpg",
                  "your OpenPGP key as a key file of mig; its fingerprint stays");
  options.Example("mig key import ~/.ssh/id_ed25519.pub", "the line for the policy");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  import.from = from;
  auto text = os::ReadFile(import.from, kMaxImportBytes);
  if (!text) return cli::Fail(terminal, text.error());
  const Wiped content(std::move(*text));
  const std::string_view view = content.bytes;
  if (view.starts_with(kOpenSshPrivate)) {
    return cli::Fail(terminal,
                     Error(Errc::kUnsupported,
                           from +
                               ": an OpenSSH private key is not taken out of its file. Sign "
                               "with it where it is: ssh-add " +
                               from + ", then: mig key use ssh:SHA256:… (`ssh-add -l` shows it)"));
  }
  if (view.starts_with(kMigPrivate)) return ImportKeyFile(import, view, terminal);
  if (view.starts_with("mig-") || ssh::LooksLikePublicLine(view)) {
    return ImportLine(import, view, terminal);
  }
  return ImportOpenPgp(import, view, options, terminal);
}

}  // namespace mig
