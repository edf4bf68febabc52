// Against the real gpg and gpg-agent.
#include "cli/gpg.h"

#include <catch2/catch.hpp>

#include <cstdlib>

#include "crypto/envelope.h"
#include "crypto/openpgp_signature.h"
#include "test/cli/descriptor.h"
#include "test/e2e/process.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;

namespace {

constexpr std::string_view kType = "application/vnd.mig.action.v1+json";

bool HaveGpg() { return e2e::Run({"/bin/sh", "-c", "command -v gpg gpg-agent"}).status == 0; }

// A GNUPGHOME of its own, with an agent of its own.
struct Keyring {
  TempFolder folder;

  ~Keyring() { Gpg({"gpgconf", "--kill", "all"}); }
  e2e::Outcome Gpg(std::vector<std::string> words) const {
    words.insert(words.begin(), "/usr/bin/env");
    return e2e::Run(words, {.environment = {{"GNUPGHOME", folder.path().string()}}});
  }
  void Make(const std::string& user, const std::string& algorithm, const std::string& passphrase,
            const std::string& expires = "never") const {
    const auto made =
        Gpg({"gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase,
             "--quick-gen-key", user, algorithm, "sign", expires});
    INFO(made.err);
    REQUIRE(made.status == 0);
  }
  Environment Variables() const {
    return [this](const char* name) -> std::string {
      if (std::string_view(name) == "GNUPGHOME") return folder.path().string();
      if (std::string_view(name) == "PATH") return ProcessEnvironment("PATH");
      return {};
    };
  }
  Expected<std::unique_ptr<Signer>> Open(const std::string& id,
                                         const PassphraseSource& source = {}) const {
    return OpenGpgSigner(id, source, Variables());
  }
};

bool Verifies(const Envelope& envelope, const SignerKey& key) {
  return envelope.signatures.size() == 1 && envelope.signatures[0].form == "openpgp" &&
         openpgp::VerifyDetached(envelope.signatures[0].sig,
                                 PreAuthEncoding(envelope.payload_type, envelope.payload), key.type,
                                 key.key)
             .has_value();
}

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("gpg: Ed25519 and RSA keys sign envelopes in the form openpgp", "[cli]") {
  if (!HaveGpg()) MIG_SKIP("there is no gpg");
  const Keyring keyring;
  keyring.Make("Ada <ada@example.net>", "ed25519", "");
  keyring.Make("Rob <rob@example.net>", "rsa3072", "");
  for (const auto& [user, type] : {std::pair{"ada@example.net", "ed25519"}, {"Rob", "rsa"}}) {
    const auto signer = keyring.Open(user);
    REQUIRE(signer);
    CHECK((*signer)->key().type == type);
    CHECK(Contains((*signer)->name(), user));
    const auto envelope = Seal(kType, "{}", **signer);
    REQUIRE(envelope);
    CHECK(Verifies(*envelope, (*signer)->key()));
  }
}

TEST_CASE("gpg: a protected key takes its passphrase from a descriptor, again and again", "[cli]") {
  if (!HaveGpg()) MIG_SKIP("there is no gpg");
  const Keyring keyring;
  keyring.Make("Ada <ada@example.net>", "ed25519", "correct horse");
  REQUIRE(keyring.Gpg({"gpgconf", "--kill", "gpg-agent"}).status == 0);  // it remembers
  const auto wrong = keyring.Open("ada", {DescriptorWith("battery staple\n")});
  REQUIRE(wrong);
  const auto refused = Seal(kType, "{}", **wrong);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kDenied);
  CHECK(Contains(refused.error().message(), "the passphrase is wrong"));

  const auto signer = keyring.Open("ada", {DescriptorWith("correct horse\n")});
  REQUIRE(signer);
  for (const std::string& payload : {std::string("{}"), std::string("\n\r\n \t"), std::string()}) {
    const auto envelope = Seal(kType, payload, **signer);
    REQUIRE(envelope);
    CHECK(Verifies(*envelope, (*signer)->key()));
  }
}

TEST_CASE("gpg: a passphrase that gpg-agent remembers is not asked for", "[cli]") {
  if (!HaveGpg()) MIG_SKIP("there is no gpg");
  const Keyring keyring;
  keyring.folder.Write("gpg-agent.conf", "allow-preset-passphrase\n");
  keyring.Make("Ada <ada@example.net>", "ed25519", "correct horse");
  // What pinentry would have told it: "correct horse", in hex, for the key with this grip.
  const std::string listed = keyring.Gpg({"gpg", "-K", "--with-colons", "--with-keygrip"}).out;
  const std::string mark = "grp:::::::::";
  const std::string grip = listed.substr(listed.find(mark) + mark.size(), 40);
  const auto told =
      keyring.Gpg({"gpg-connect-agent",
                   "PRESET_PASSPHRASE " + grip + " -1 636F727265637420686F727365", "/bye"});
  REQUIRE(told.out == "OK\n");
  const auto signer = keyring.Open("ada");
  REQUIRE(signer);
  const auto remembered = Seal(kType, "{}", **signer);
  REQUIRE(keyring.Gpg({"gpgconf", "--kill", "gpg-agent"}).status == 0);
  keyring.folder.Write("gpg-agent.conf", "pinentry-program /bin/false\n");
  const auto forgotten = Seal(kType, "{}", **signer);
  REQUIRE_FALSE(forgotten);
  CHECK(Contains(forgotten.error().message(), "pinentry"));
  REQUIRE(remembered);
  CHECK(Verifies(*remembered, (*signer)->key()));
}

TEST_CASE("gpg: a signing subkey is used where the primary key only certifies", "[cli]") {
  if (!HaveGpg()) MIG_SKIP("there is no gpg");
  const Keyring keyring;
  const auto made = keyring.Gpg({"gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key",
                                 "Ada <ada@example.net>", "ed25519", "cert", "never"});
  REQUIRE(made.status == 0);
  const auto without = keyring.Open("ada");
  REQUIRE_FALSE(without);
  CHECK(Contains(without.error().message(), "gpg --quick-add-key"));
  const std::string primary = ListGpgKeys(keyring.Variables())->front().fingerprint;
  REQUIRE(keyring
              .Gpg({"gpg", "--batch", "--quiet", "--passphrase", "", "--quick-add-key", primary,
                    "ed25519", "sign", "1y"})
              .status == 0);
  const auto signer = keyring.Open(primary);
  REQUIRE(signer);
  const auto envelope = Seal(kType, "{}", **signer);
  REQUIRE(envelope);
  CHECK(Verifies(*envelope, (*signer)->key()));
  CHECK_FALSE(Contains((*signer)->key().source, primary));
}

TEST_CASE("gpg: an empty keyring and a missing program say what to do", "[cli]") {
  if (!HaveGpg()) MIG_SKIP("there is no gpg");
  const Keyring keyring;
  const auto empty = keyring.Open("ada");
  REQUIRE_FALSE(empty);
  CHECK(Contains(empty.error().message(), "gpg --quick-gen-key"));
  const auto missing = OpenGpgSigner("ada", {}, [](const char* name) -> std::string {
    return std::string_view(name) == "PATH" ? ".:/nowhere" : "";
  });
  REQUIRE_FALSE(missing);
  CHECK(Contains(missing.error().message(), "no gpg in PATH (.:/nowhere)"));
}
