// Keys and signatures exchanged with the OpenPGP programs of Debian 12: GnuPG 2.2, Sequoia's sq and
// RNP, each with a home of its own in a temporary folder.
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "crypto/openpgp_armor.h"
#include "crypto/openpgp_certificate.h"
#include "crypto/openpgp_export.h"
#include "crypto/openpgp_signature.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::openpgp;

namespace {

constexpr std::string_view kMessage = "DSSEv1 4 text 5 hello";

bool HasProgram(const std::string& name) {
  return std::system(("command -v " + name + " >/dev/null").c_str()) == 0;
}

KeyFile Sample(char seed = 'k') {
  return {"Jörg Example <joerg@example.net>", *ParseRfc3339("2025-11-23T09:30:00.250Z"),
          *SecretKey::FromSeed(Bytes(32, seed))};
}

struct Outcome {
  int status = -1;
  std::string output;  // standard output and error
};

// A folder with homes for the programs, and a shell in it.
class Workbench {
 public:
  Workbench() {
    std::filesystem::create_directory(folder_ / "gnupg");
    std::filesystem::permissions(folder_ / "gnupg", std::filesystem::perms::owner_all);
    std::filesystem::create_directory(folder_ / "rnp");
    folder_.Write("message", kMessage);
  }
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;
  // The agent that gpg starts; without this it would end with its folder a little later.
  ~Workbench() { Try("gpgconf --kill all"); }

  Outcome Try(const std::string& command) const {
    const std::string all = "cd " + folder_.path().string() +
                            " && export HOME=$PWD GNUPGHOME=$PWD/gnupg LC_ALL=C.UTF-8; { " +
                            command + "; } 2>&1 </dev/null";
    Outcome outcome;
    FILE* const pipe = popen(all.c_str(), "r");
    REQUIRE(pipe != nullptr);
    char chunk[4096];
    for (std::size_t size = 0; (size = fread(chunk, 1, sizeof chunk, pipe)) != 0;) {
      outcome.output.append(chunk, size);
    }
    const int status = pclose(pipe);
    outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }
  std::string Run(const std::string& command) const {
    const Outcome outcome = Try(command);
    INFO(command);
    INFO(outcome.output);
    REQUIRE(outcome.status == 0);
    return outcome.output;
  }
  std::string Gpg(const std::string& arguments, const std::string& passphrase = "") const {
    return Run("gpg --batch --yes --pinentry-mode loopback --passphrase '" + passphrase + "' " +
               arguments);
  }

  void Write(const std::string& name, BytesView content) const { folder_.Write(name, content); }
  std::string Read(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    REQUIRE(in);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  Certificate Only(const std::string& name, UtcTime now = Now()) const {
    auto all = ReadCertificates(Read(name), now);
    if (!all) FAIL(all.error().message());
    REQUIRE(all->size() == 1);
    return std::move(all->front());
  }

 private:
  TempFolder folder_;
};

Expected<void> Verify(BytesView signature, const SigningMaterial& key) {
  return VerifyDetached(signature, kMessage, key.Type(), key.Material());
}

}  // namespace

TEST_CASE("openpgp interop: GnuPG imports our key without a warning and signs with it",
          "[crypto][openpgp]") {
  if (!HasProgram("gpg")) MIG_SKIP("gpg is not installed (package gnupg)");
  for (const std::string passphrase : {"", "correct horse"}) {
    const Workbench bench;
    const KeyFile file = Sample();
    bench.Write("secret.asc", ExportSecret(file, passphrase)->bytes);
    const std::string imported = bench.Gpg("--import secret.asc", passphrase);
    INFO(imported);
    CHECK(imported.find("secret keys imported: 1") != std::string::npos);
    for (const char* word : {"warning", "WARNING", "error", "skipped", "bad"}) {
      CHECK(imported.find(word) == std::string::npos);
    }
    const std::string fingerprint = *FingerprintV4(file);
    const std::string listed = bench.Gpg("--with-colons --check-sigs");
    CHECK(listed.find("fpr:::::::::" + fingerprint + ":") != std::string::npos);
    CHECK(listed.find("sig:!:") != std::string::npos);
    CHECK(listed.find(":scSC:") != std::string::npos);
    bench.Gpg("-u " + fingerprint + " --detach-sign -o message.sig message", passphrase);
    CHECK(Verify(bench.Read("message.sig"), SigningMaterial(file.secret.public_key())));
    // And back again.
    bench.Gpg("--export-secret-keys -o back.gpg", passphrase);
    const Certificate back = bench.Only("back.gpg");
    CHECK(back.keys[0].fingerprint == fingerprint);
    const auto opened = OpenSecret(back, back.keys[0], passphrase);
    if (!opened) FAIL(opened.error().message());
    CHECK(opened->secret.Seed() == file.secret.Seed());
    CHECK(opened->name == file.name);
  }
}

TEST_CASE("openpgp interop: GnuPG, sq and RNP verify our signatures", "[crypto][openpgp]") {
  const KeyFile file = Sample();
  const Workbench bench;
  bench.Write("public.asc", *ExportPublic(file));
  // About one signature in 64 has a number shorter than 32 bytes: these must have one.
  std::vector<std::string> names;
  UtcTime time = *ParseRfc3339("2025-12-01T00:00:00Z");
  std::size_t full = 0;
  for (std::size_t short_ones = 0; short_ones < 2 || names.size() < 4;
       time += std::chrono::seconds(1)) {
    const Bytes signature = *SignDetached(file, kMessage, time);
    full = std::max(full, signature.size());
    const bool is_short = signature.size() < full;
    if (!is_short && names.size() >= 2) continue;
    short_ones += is_short ? 1 : 0;
    names.push_back("signature" + std::to_string(names.size()) + ".asc");
    bench.Write(names.back(), WriteArmor(ArmorKind::kSignature, signature));
  }
  bench.Write("other", "DSSEv1 4 text 5 hallo");
  if (HasProgram("gpg")) {
    bench.Gpg("--import public.asc");
    for (const std::string& name : names) {
      CHECK(bench.Gpg("--verify " + name + " message").find("Good signature") != std::string::npos);
      CHECK(bench.Try("gpg --batch --verify " + name + " other").status != 0);
    }
  }
  if (HasProgram("sq")) {
    for (const std::string& name : names) {
      bench.Run("sq verify --signer-cert public.asc --detached " + name + " message");
      CHECK(bench.Try("sq verify --signer-cert public.asc --detached " + name + " other").status !=
            0);
    }
  }
  if (HasProgram("rnp")) {
    const std::string rnp = "rnp --homedir $PWD/rnp -f public.asc -v --source ";
    for (const std::string& name : names) {
      bench.Run(rnp + "message " + name);
      CHECK(bench.Try(rnp + "other " + name).status != 0);
    }
  }
  if (!HasProgram("gpg") || !HasProgram("sq") || !HasProgram("rnp")) {
    MIG_SKIP("not all of gpg, sq and rnp are installed (packages gnupg, sq, rnp)");
  }
}

TEST_CASE("openpgp interop: GnuPG's keys come in, with and without passphrase, with subkeys",
          "[crypto][openpgp]") {
  if (!HasProgram("gpg")) MIG_SKIP("gpg is not installed (package gnupg)");
  for (const std::string passphrase : {"", "pass phrase Ω"}) {
    const Workbench bench;
    bench.Gpg("--quick-gen-key 'Bob <bob@example.net>' ed25519 cert never", passphrase);
    const std::string fpr =
        bench.Run("gpg --with-colons -K 2>/dev/null | awk -F: '/^fpr/ {printf \"%s\", $10; exit}'");
    bench.Gpg("--quick-add-key " + fpr + " ed25519 sign 1y", passphrase);
    bench.Gpg("--quick-add-key " + fpr + " cv25519 encr never", passphrase);
    bench.Gpg("--detach-sign -o message.sig message", passphrase);
    bench.Gpg("--armor --export-secret-keys -o secret.asc", passphrase);
    const Certificate certificate = bench.Only("secret.asc");
    CHECK(certificate.user_ids == std::vector<std::string>{"Bob <bob@example.net>"});
    REQUIRE(certificate.keys.size() == 3);
    CHECK(certificate.keys[0].fingerprint == fpr);
    CHECK(certificate.keys[0].why_not == "it is not meant for signing data (key flags)");
    CHECK(certificate.keys[1].why_not == "");
    CHECK(certificate.keys[1].expires);
    CHECK_FALSE(certificate.keys[2].MaySign());
    CHECK(Verify(bench.Read("message.sig"), *certificate.keys[1].material));
    CHECK_FALSE(Verify(bench.Read("message.sig"), *certificate.keys[0].material));
    CHECK(certificate.keys[1].secret->NeedsPassphrase() == !passphrase.empty());
    const auto file = OpenSecret(certificate, certificate.keys[1], passphrase);
    if (!file) FAIL(file.error().message());
    CHECK(file->secret.public_key() == *certificate.keys[1].material->Ed25519());
    CHECK(*FingerprintV4(*file) == certificate.keys[1].fingerprint);
    if (!passphrase.empty()) {
      const auto wrong = OpenSecret(certificate, certificate.keys[1], "wrong");
      REQUIRE_FALSE(wrong);
      CHECK(wrong.error().code() == Errc::kDenied);
    }
    // After a year the subkey has expired; without its primary key's secret it is told by name.
    const Certificate later = bench.Only("secret.asc", Now() + std::chrono::hours(24 * 366));
    CHECK(later.keys[1].why_not.find("it expired on ") == 0);
    bench.Gpg("--export-secret-subkeys -o subkeys.gpg", passphrase);
    const Certificate subkeys = bench.Only("subkeys.gpg");
    const auto dummy = subkeys.keys[0].secret->Open(passphrase);
    REQUIRE_FALSE(dummy);
    INFO(dummy.error().message());
    CHECK(dummy.error().message().find("gnu-dummy") != std::string::npos);
    CHECK(OpenSecret(subkeys, subkeys.keys[1], passphrase));
  }
}

TEST_CASE("openpgp interop: GnuPG's RSA keys from 3072 bits verify, shorter ones say why not",
          "[crypto][openpgp]") {
  if (!HasProgram("gpg")) MIG_SKIP("gpg is not installed (package gnupg)");
  const Workbench bench;
  bench.Gpg("--quick-gen-key 'Long <long@example.net>' rsa3072 sign never");
  bench.Gpg("--quick-gen-key 'Short <short@example.net>' rsa2048 sign never");
  for (const char* who : {"long", "short"}) {
    const std::string name = who;
    bench.Gpg("--export -o " + name + ".gpg " + name + "@example.net");
    bench.Gpg("-u " + name + "@example.net --digest-algo SHA512 --detach-sign -o " + name +
              ".sig message");
  }
  const Certificate strong = bench.Only("long.gpg");
  CHECK(strong.keys[0].why_not == "");
  CHECK(Verify(bench.Read("long.sig"), *strong.keys[0].material));
  CHECK_FALSE(Verify(bench.Read("short.sig"), *strong.keys[0].material));
  CHECK(bench.Only("short.gpg").keys[0].why_not.find("2048 bits") != std::string::npos);
  // A short one may still vouch for a subkey that is strong.
  bench.Gpg("--quick-add-key " + bench.Only("short.gpg").keys[0].fingerprint +
            " ed25519 sign never");
  bench.Gpg("--export -o short.gpg short@example.net");
  bench.Gpg("-u short@example.net --detach-sign -o short.sig message");
  const Certificate with_subkey = bench.Only("short.gpg");
  REQUIRE(with_subkey.keys.size() == 2);
  CHECK(with_subkey.user_ids == std::vector<std::string>{"Short <short@example.net>"});
  CHECK_FALSE(with_subkey.keys[0].material);
  CHECK_FALSE(with_subkey.keys[0].MaySign());
  CHECK(with_subkey.keys[1].why_not == "");
  CHECK(Verify(bench.Read("short.sig"), *with_subkey.keys[1].material));
  bench.Gpg("--export-secret-keys -o secret.gpg long@example.net");
  const Certificate secret = bench.Only("secret.gpg");
  CHECK(secret.keys[0].secret->Open("").error().message().find("gpg-agent") != std::string::npos);
}

TEST_CASE("openpgp interop: keys that GnuPG expired, extended or revoked", "[crypto][openpgp]") {
  if (!HasProgram("gpg")) MIG_SKIP("gpg is not installed (package gnupg)");
  const Workbench bench;
  bench.Gpg(
      "--faked-system-time 20200101T000000 --quick-gen-key 'Old <old@example.net>' ed25519 sign "
      "1y");
  bench.Gpg("--export -o old.gpg");
  const Certificate old = bench.Only("old.gpg");
  CHECK(old.keys[0].why_not == "it expired on 2020-12-31T00:00:00Z");
  CHECK(bench.Only("old.gpg", *ParseRfc3339("2020-12-30T23:59:59Z")).keys[0].MaySign());
  CHECK_FALSE(bench.Only("old.gpg", *ParseRfc3339("2019-12-31T23:59:59Z")).keys[0].MaySign());

  bench.Gpg("--quick-set-expire " + old.keys[0].fingerprint + " 0");
  bench.Gpg("--export -o extended.gpg");
  CHECK(bench.Only("extended.gpg").keys[0].why_not == "");

  // A second user id, then the first one is revoked.
  bench.Gpg("--quick-add-uid " + old.keys[0].fingerprint + " 'New <new@example.net>'");
  bench.Gpg("--export -o two.gpg");
  CHECK(bench.Only("two.gpg").user_ids.size() == 2);
  bench.Gpg("--quick-revoke-uid " + old.keys[0].fingerprint + " 'Old <old@example.net>'");
  bench.Gpg("--export -o renamed.gpg");
  const Certificate renamed = bench.Only("renamed.gpg");
  CHECK(renamed.user_ids == std::vector<std::string>{"New <new@example.net>"});
  CHECK(renamed.keys[0].why_not == "");

  // The revocation certificate that gpg made with the key; a colon keeps it from being used.
  bench.Run("sed 's/^:-----BEGIN/-----BEGIN/' gnupg/openpgp-revocs.d/" + old.keys[0].fingerprint +
            ".rev > revocation.asc");
  bench.Gpg("--import revocation.asc");
  bench.Gpg("--export -o revoked.gpg");
  const Certificate revoked = bench.Only("revoked.gpg");
  CHECK(revoked.keys[0].why_not.find("it was revoked on ") != std::string::npos);
  CHECK_FALSE(revoked.keys[0].MaySign());
  // Alone it is no key, and says what to do.
  const auto alone = ReadCertificates(bench.Read("revocation.asc"), Now());
  REQUIRE_FALSE(alone);
  CHECK(alone.error().message().find("revocation certificate") != std::string::npos);
}

TEST_CASE("openpgp interop: a subkey revoked with GnuPG does not sign, others do",
          "[crypto][openpgp]") {
  if (!HasProgram("gpg")) MIG_SKIP("gpg is not installed (package gnupg)");
  const Workbench bench;
  bench.Gpg("--quick-gen-key 'Bob <bob@example.net>' ed25519 sign never");
  const std::string fpr =
      bench.Run("gpg --with-colons -K 2>/dev/null | awk -F: '/^fpr/ {printf \"%s\", $10; exit}'");
  bench.Gpg("--quick-add-key " + fpr + " ed25519 sign never");
  bench.Run(
      "printf 'key 1\\nrevkey\\ny\\n1\\n\\ny\\nsave\\n' | gpg --no-tty --pinentry-mode loopback "
      "--passphrase '' --command-fd 0 --edit-key " +
      fpr);
  bench.Gpg("--export -o key.gpg");
  const Certificate certificate = bench.Only("key.gpg");
  REQUIRE(certificate.keys.size() == 2);
  CHECK(certificate.keys[0].why_not == "");
  CHECK(certificate.keys[1].why_not.find("it was revoked on ") == 0);
  CHECK(certificate.keys[1].why_not.find("known to others") != std::string::npos);
}

TEST_CASE("openpgp interop: Sequoia's keys come in, and its signatures verify",
          "[crypto][openpgp]") {
  if (!HasProgram("sq")) MIG_SKIP("sq is not installed (package sq)");
  const Workbench bench;
  bench.Run("sq key generate --userid 'Carol <carol@example.net>' --export carol.pgp");
  bench.Run("sq sign --detached --signer-key carol.pgp -o message.asc message");
  const Certificate certificate = bench.Only("carol.pgp");
  CHECK(certificate.user_ids == std::vector<std::string>{"Carol <carol@example.net>"});
  const auto blocks = ReadArmor(bench.Read("message.asc"));
  REQUIRE(blocks);
  std::size_t signers = 0;
  std::size_t verified = 0;
  for (const CertificateKey& key : certificate.keys) {
    INFO(key.fingerprint << ": " << key.why_not);
    if (!key.MaySign()) continue;
    ++signers;
    if (Verify((*blocks)[0].body, *key.material)) ++verified;
    const auto file = OpenSecret(certificate, key, "");
    if (!file) FAIL(file.error().message());
    CHECK(*FingerprintV4(*file) == key.fingerprint);
  }
  CHECK(signers == 1);  // a subkey: sq's primary keys only certify
  CHECK(verified == 1);

  // Ours, in sq.
  const KeyFile ours = Sample();
  bench.Write("ours.asc", ExportSecret(ours, "")->bytes);
  bench.Run("sq sign --detached --signer-key ours.asc -o ours.sig message");
  const auto signature = ReadArmor(bench.Read("ours.sig"));
  REQUIRE(signature);
  CHECK(Verify((*signature)[0].body, SigningMaterial(ours.secret.public_key())));
}

TEST_CASE("openpgp interop: RNP's keys under a passphrase come in, and its signatures verify",
          "[crypto][openpgp]") {
  if (!HasProgram("rnp") || !HasProgram("rnpkeys")) MIG_SKIP("rnp is not installed (package rnp)");
  const Workbench bench;
  const KeyFile ours = Sample();
  bench.Write("ours.asc", ExportSecret(ours, "pass")->bytes);
  const std::string home = " --homedir $PWD/rnp --password pass ";
  bench.Run("rnpkeys" + home + "--notty --import-keys ours.asc");
  bench.Run("rnp" + home + "-s --detach --output message.sig message");
  CHECK(Verify(bench.Read("message.sig"), SigningMaterial(ours.secret.public_key())));
  bench.Run("rnpkeys" + home + "--notty --export-key --secret --output back.asc " +
            *FingerprintV4(ours));
  const Certificate back = bench.Only("back.asc");
  const auto opened = OpenSecret(back, back.keys[0], "pass");
  if (!opened) FAIL(opened.error().message());
  CHECK(opened->secret.Seed() == ours.secret.Seed());
}

TEST_CASE("openpgp interop: a seed that begins with zeros goes through GnuPG and back",
          "[crypto][openpgp]") {
  if (!HasProgram("gpg")) MIG_SKIP("gpg is not installed (package gnupg)");
  for (const std::string passphrase : {"", "p"}) {
    const Workbench bench;
    const Bytes seed = Bytes(2, '\0') + Bytes(30, '\x11');
    const KeyFile file{"Zero <z@example.net>", Sample().created, *SecretKey::FromSeed(seed)};
    bench.Write("secret.asc", ExportSecret(file, passphrase)->bytes);
    bench.Gpg("--import secret.asc", passphrase);
    bench.Gpg("--detach-sign -o message.sig message", passphrase);
    CHECK(Verify(bench.Read("message.sig"), SigningMaterial(file.secret.public_key())));
    bench.Gpg("--export-secret-keys -o back.gpg", passphrase);
    const Certificate back = bench.Only("back.gpg");
    const auto opened = OpenSecret(back, back.keys[0], passphrase);
    if (!opened) FAIL(opened.error().message());
    CHECK(opened->secret.Seed() == seed);
  }
}
