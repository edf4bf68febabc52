// mig action pae|add-signature|asc: signatures that gpg and ssh-keygen make or verify. What is
// signed is always the envelope's pre-authentication encoding.
#include "roles/client/action_signature.h"

#include <algorithm>
#include <vector>

#include "cli/action_file.h"
#include "cli/secret_key.h"
#include "cli/verb.h"
#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_certificate.h"
#include "crypto/openpgp_export.h"
#include "crypto/openpgp_signature.h"
#include "crypto/public_key_line.h"
#include "crypto/ssh_key.h"
#include "crypto/sshsig.h"
#include "crypto/verifying_key.h"
#include "os/files.h"
#include "roles/client/key_verb.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig {
namespace {

using cli::ExitStatus;

constexpr unsigned kFileMode = 0644;
constexpr std::size_t kMaxSignatureFile = 64 * 1024;

Expected<cli::ActionFile> LoadSigned(const std::string& file) {
  auto loaded = cli::LoadActionFile(file);
  if (!loaded || loaded->envelope) return loaded;
  return Error(Errc::kInvalid,
               file + ": is an action of MIG; make one of mig of it first: mig action sign " +
                   file + " -o a.json");
}

Bytes ToBeSigned(const Envelope& envelope) {
  return PreAuthEncoding(envelope.payload_type, envelope.payload);
}

// To a file, or to stdout.
Expected<void> Put(const std::string& out, BytesView content, cli::Terminal& terminal) {
  if (!out.empty() && out != "-") return os::WriteFileAtomically(out, content, kFileMode);
  terminal.Data(content);
  return {};
}

// A signature out of its armour, and what an envelope calls its form.
struct Taken {
  Bytes sig;
  std::string form;
};

Expected<Taken> TakeSignature(const std::string& file) {
  auto text = os::ReadFile(file, kMaxSignatureFile);
  if (!text) return std::move(text).error();
  if (sshsig::IsArmoured(*text) || sshsig::IsBlob(*text)) {
    auto blob =
        sshsig::IsBlob(*text) ? Expected<Bytes>(std::move(*text)) : sshsig::RemoveArmour(*text);
    if (!blob) return std::move(blob).error().During(file);
    return Taken{std::move(*blob), "sshsig"};
  }
  if (text->starts_with("-----BEGIN PGP")) {
    auto blocks = openpgp::ReadArmor(*text);
    if (!blocks) return std::move(blocks).error().During(file);
    if (blocks->size() != 1 || blocks->front().kind != openpgp::ArmorKind::kSignature) {
      return Error(Errc::kInvalid, file +
                                       ": is not one detached signature: make it with gpg "
                                       "--detach-sign");
    }
    return Taken{std::move(blocks->front().body), "openpgp"};
  }
  // Raw Ed25519 has no mark; nothing else has exactly its length.
  if (text->size() == 64) return Taken{std::move(*text), "ed25519"};
  if (openpgp::LooksLikeSignature(*text)) return Taken{std::move(*text), "openpgp"};
  return Error(Errc::kInvalid, file +
                                   ": is no signature of gpg --detach-sign or ssh-keygen -Y "
                                   "sign, nor 64 raw bytes");
}

// Whose signature it may be: all keys in the file.
Expected<std::vector<VerifyingKey>> KeysIn(const std::string& file) {
  auto text = os::ReadFile(file, openpgp::kMaxArmorBytes);
  if (!text) return std::move(text).error();
  std::vector<VerifyingKey> keys;
  if (text->starts_with("mig-") || ssh::LooksLikePublicLine(*text)) {
    auto line = ReadPublicLine(text->substr(0, text->find('\n')));
    if (!line) return std::move(line).error().During(file);
    auto key = VerifyingKey::From(line->type, line->key);
    if (!key) return std::move(key).error().During(file);
    keys.push_back(std::move(*key));
    return keys;
  }
  auto certificates = openpgp::ReadCertificates(*text, Now());
  WipeBytes(*text);
  if (!certificates) return std::move(certificates).error().During(file);
  for (const openpgp::Certificate& certificate : *certificates) {
    for (const openpgp::CertificateKey& key : certificate.keys) {
      if (!key.material) continue;
      auto verifying = VerifyingKey::From(key.material->Type(), key.material->Material());
      if (verifying) keys.push_back(std::move(*verifying));
    }
  }
  if (!keys.empty()) return keys;
  return Error(Errc::kInvalid, file + ": holds no key that signs for mig");
}

// An SSH signature names its key; any other needs --public.
Expected<std::vector<VerifyingKey>> Candidates(const Taken& taken, const std::string& file,
                                               const std::string& public_file) {
  if (!public_file.empty()) return KeysIn(public_file);
  if (taken.form != "sshsig") {
    return Error(Errc::kInvalid,
                 file +
                     ": says not whose it is; name the key with --public FILE (`gpg --export "
                     "NAME > FILE`, or a public line)");
  }
  auto blob = sshsig::Decode(taken.sig);
  if (!blob) return std::move(blob).error().During(file);
  auto key = VerifyingKey::From(blob->key.type, blob->key.key);
  if (!key) return std::move(key).error().During(file);
  return std::vector<VerifyingKey>{std::move(*key)};
}

}  // namespace

ExitStatus RunActionPae(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string file, out;
  cli::Options options("mig action pae FILE [-o FILE]",
                       "Writes the exact bytes that a signature of the action covers (DSSE's "
                       "pre-authentication encoding), for\nprograms that sign files. Read first "
                       "what you sign: mig action explain FILE");
  options.Word("FILE", "a signed action, as `mig query -p` prints it", true, &file);
  options.Text("out", 'o', "FILE", "where to write them (default: stdout)", &out);
  options.Example(
      "mig action pae a.json -o a.pae && gpg --detach-sign a.pae",
      "makes a.pae.sig; then: mig action add-signature a.json a.pae.sig --public me.asc");
  options.Example("mig action pae a.json -o a.pae && ssh-keygen -Y sign -n mig -f KEY a.pae",
                  "also with a FIDO key; then: mig action add-signature a.json a.pae.sig");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto loaded = LoadSigned(file);
  if (!loaded) return cli::Fail(terminal, loaded.error());
  if (auto put = Put(out, ToBeSigned(*loaded->envelope), terminal); !put) {
    return cli::Fail(terminal, put.error());
  }
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus RunActionAddSignature(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string file, signature_file, public_file, out;
  cli::Options options("mig action add-signature FILE SIGNATURE [--public FILE] [-o FILE]",
                       "Adds to an action a signature that gpg or ssh-keygen made over `mig "
                       "action pae`, once it verifies.");
  options.Word("FILE", "a signed action", true, &file);
  options.Word("SIGNATURE", "the file that gpg --detach-sign or ssh-keygen -Y sign wrote", true,
               &signature_file);
  options.Text("public", '\0', "FILE",
               "whose it is: gpg --export, or a public line (an SSH signature says so itself)",
               &public_file);
  options.Text("out", 'o', "FILE", "where to write the action (default: FILE itself)", &out);
  options.Example("mig action add-signature a.json a.pae.sig", "one of ssh-keygen -Y sign -n mig");
  options.Example("mig action add-signature a.json a.pae.asc --public bob.asc",
                  "one of gpg --detach-sign --armor");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto loaded = LoadSigned(file);
  if (!loaded) return cli::Fail(terminal, loaded.error());
  auto taken = TakeSignature(signature_file);
  if (!taken) return cli::Fail(terminal, taken.error());
  auto candidates = Candidates(*taken, signature_file, public_file);
  if (!candidates) return cli::Fail(terminal, candidates.error());
  Envelope& envelope = *loaded->envelope;
  const Bytes message = ToBeSigned(envelope);
  const auto signer =
      std::find_if(candidates->begin(), candidates->end(),
                   [&](const VerifyingKey& key) { return key.Verify(message, taken->sig); });
  if (signer == candidates->end()) {
    return cli::Fail(
        terminal,
        Error(Errc::kDenied, signature_file + ": is no signature over " + file + " by " +
                                 (public_file.empty() ? "the key it names" : public_file) +
                                 "; was it made over the bytes of: mig action pae " + file + "?"));
  }
  const std::string id = EncodeBase32(signer->Fingerprint());
  if (SignedBy(envelope, *signer)) {
    terminal.Remark("The key " + id + " has signed it already.");
    return cli::Finish(terminal, cli::kFound);
  }
  if (envelope.signatures.size() >= kMaxSignatures) {
    return cli::Fail(terminal, Error(Errc::kFull, file + ": has " + std::to_string(kMaxSignatures) +
                                                      " signatures already"));
  }
  envelope.signatures.push_back({id, std::move(taken->sig), std::move(taken->form)});
  if (auto put =
          Put(out.empty() ? file : out, cli::ActionFileText(envelope, loaded->audience), terminal);
      !put) {
    return cli::Fail(terminal, put.error());
  }
  terminal.Remark("Added the signature of the key " + id +
                  ". Whether the policy knows it: mig action verify " + (out.empty() ? file : out));
  return cli::Finish(terminal, cli::kFound);
}

ExitStatus RunActionAsc(std::span<const std::string> words, cli::Terminal& terminal) {
  std::string file, out;
  KeyWord word;
  PassphraseOption passphrase;
  cli::Options options("mig action asc FILE [-o FILE]",
                       "Your signature of an action as a detached OpenPGP one, for those who "
                       "verify with gpg. Only for what you\nhave signed already: it gives nothing "
                       "that was not given.");
  options.Word("FILE", "an action that your key has signed", true, &file);
  options.Text("out", 'o', "FILE", "where to write it (default: stdout)", &out);
  options.Text("key", '\0', "FILE", "your key file (default: the one the verbs sign with)",
               &word.text);
  options.Text("config", 'c', "FILE",
               "the deployment (default: MIG_CONFIG, ~/.config/mig/client.yaml, the lab)",
               &word.config.config);
  passphrase.AddTo(options, "passphrase-fd", "read the passphrase from descriptor N");
  options.Example("mig action pae a.json -o a.pae && mig action asc a.json -o a.pae.asc",
                  "then, with your key imported: gpg --verify a.pae.asc");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto loaded = LoadSigned(file);
  if (!loaded) return cli::Fail(terminal, loaded.error());
  auto key_file = word.File();
  if (!key_file) return cli::Fail(terminal, key_file.error());
  auto key = cli::LoadSecretKey(*key_file, passphrase.Source(options));
  if (!key) return cli::Fail(terminal, key.error());
  if (!SignedBy(*loaded->envelope, key->secret.public_key())) {
    return cli::Fail(
        terminal, Error(Errc::kDenied, file + ": is not signed by " + key_file->string() +
                                           "; read it and sign it first: mig action sign " + file));
  }
  auto packet = openpgp::SignDetached(*key, ToBeSigned(*loaded->envelope), Now());
  if (!packet) return cli::Fail(terminal, packet.error());
  const std::string text = openpgp::WriteArmor(openpgp::ArmorKind::kSignature, *packet);
  if (auto put = Put(out, text, terminal); !put) return cli::Fail(terminal, put.error());
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig
