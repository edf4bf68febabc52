#include "cli/person_keys.h"

#include "cli/key_line.h"
#include "test/cli/openpgp_data.h"
#include "test/deployment.h"

using namespace mig;
using namespace mig::cli;

namespace {

const UtcTime kNow = TimeAt("2026-12-01T12:00:00Z");

}  // namespace

TEST_CASE("person keys: a public line is one key, with the name that stands behind it", "[cli]") {
  const DocumentKey key = Deployment::KeyOf(SecretKey::Generate());
  const auto keys = ReadPersonKeys(WriteKeyLine(key, "Ann <ann@example.net>") + "\n", kNow);
  REQUIRE(keys);
  CHECK(keys->name == "Ann <ann@example.net>");
  CHECK(keys->keys == std::vector<DocumentKey>{key});
}

TEST_CASE("person keys: an OpenPGP key gives what of it may sign, and its user id", "[cli]") {
  const auto ed25519 = ReadPersonKeys(OpenPgpFile("gnupg-2.2-ed25519.asc"), kNow);
  REQUIRE(ed25519);
  REQUIRE(ed25519->keys.size() == 1);
  CHECK(ed25519->keys[0].type == kEd25519Key);
  CHECK(ed25519->name.find('@') != std::string::npos);
  const auto rsa = ReadPersonKeys(OpenPgpFile("gnupg-2.2-rsa3072.asc"), kNow);
  REQUIRE(rsa);
  CHECK(rsa->keys[0].type == kRsaKey);
}

TEST_CASE("person keys: one that cannot sign is refused by its fingerprint, with why", "[cli]") {
  const auto keys = ReadPersonKeys(OpenPgpFile("gnupg-2.2-rsa2048.asc"), kNow);
  REQUIRE_FALSE(keys);
  const auto certificate = OpenPgpCertificate("gnupg-2.2-rsa2048.asc", kNow);
  INFO(keys.error().message());
  CHECK(keys.error().message().find(certificate.keys[0].fingerprint) != std::string::npos);
  CHECK(keys.error().message().find(certificate.keys[0].why_not) != std::string::npos);
}

TEST_CASE("person keys: a subkey is advised only where the primary key can vouch for one",
          "[cli]") {
  openpgp::Certificate certificate = OpenPgpCertificate("gnupg-2.2-rsa2048.asc", kNow);
  REQUIRE(certificate.vouches);
  CHECK(RemedyFor(certificate).find("--quick-add-key") != std::string::npos);
  certificate.vouches = false;
  CHECK(RemedyFor(certificate) == "a key of mig's: mig key new");
}

TEST_CASE("person keys: two people's keys in one file are not one person's", "[cli]") {
  const auto two = ReadPersonKeys(
      OpenPgpFile("gnupg-2.2-ed25519.asc") + OpenPgpFile("gnupg-2.2-rsa3072.asc"), kNow);
  REQUIRE_FALSE(two);
  CHECK(two.error().message().find("2 OpenPGP keys") != std::string::npos);
  CHECK_FALSE(ReadPersonKeys("hello", kNow));
}
