#include "cli/secret_key.h"

#include <catch2/catch.hpp>

#include "os/files.h"
#include "test/cli/descriptor.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;

namespace {

std::string KeyText(std::string_view passphrase) {
  const KeyFile key{"Ada <ada@example.net>", Now(), SecretKey::Generate()};
  return WriteKeyFile(key, passphrase).value();
}

}  // namespace

TEST_CASE("secret key: the passphrase comes from a descriptor where one is named", "[cli]") {
  const TempFolder folder;
  const auto file = folder / "key";
  REQUIRE(os::WriteNewFile(file, KeyText("secret"), 0600));
  const auto key = LoadSecretKey(file, {DescriptorWith("secret\n")});
  REQUIRE(key);
  CHECK(key->name == "Ada <ada@example.net>");
  const auto wrong = LoadSecretKey(file, {DescriptorWith("guess\n")});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == Errc::kDenied);
}

TEST_CASE("secret key: a key that others can read is not used", "[cli]") {
  const TempFolder folder;
  const auto file = folder / "key";
  REQUIRE(os::WriteNewFile(file, KeyText(""), 0640));
  const auto key = LoadSecretKey(file, {});
  REQUIRE_FALSE(key);
  CHECK(key.error().message().find("chmod 600") != std::string::npos);
}

TEST_CASE("secret key: without a key the message says how to make one", "[cli]") {
  const auto key = LoadSecretKey("/nowhere/key", {});
  REQUIRE_FALSE(key);
  CHECK(key.error().message().find("mig key new") != std::string::npos);
}

TEST_CASE("secret key: an empty new passphrase is not taken for one", "[cli]") {
  CHECK_FALSE(NewPassphrase({DescriptorWith("\n")}));
  CHECK(*NewPassphrase({DescriptorWith("secret\n")}) == "secret");
}
