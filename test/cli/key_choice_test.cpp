#include "cli/key_choice.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::cli;

TEST_CASE("key choice: a path is a file, relative to the configuration", "[cli]") {
  CHECK(ParseKeyChoice("me.key", "/etc/mig")->file == "/etc/mig/me.key");
  CHECK(ParseKeyChoice("/root/me.key", "/etc/mig")->file == "/root/me.key");
  CHECK(ParseKeyChoice("file:ssh:x", "/etc")->file == "/etc/ssh:x");
  CHECK(ParseKeyChoice("me.key", "")->kind == KeyChoice::Kind::kFile);
}

TEST_CASE("key choice: ssh: and gpg: name keys that others hold", "[cli]") {
  const auto ssh = ParseKeyChoice("ssh:SHA256:abc", "/etc");
  REQUIRE(ssh);
  CHECK(ssh->kind == KeyChoice::Kind::kSsh);
  CHECK(ssh->id == "SHA256:abc");
  const auto gpg = ParseKeyChoice("gpg: Ada <ada@example.net> ", "/etc");
  REQUIRE(gpg);
  CHECK(gpg->kind == KeyChoice::Kind::kGpg);
  CHECK(gpg->id == "Ada <ada@example.net>");
}

TEST_CASE("key choice: what another program would take for an option is refused", "[cli]") {
  for (const char* text : {"", "file:", "ssh:", "gpg:  ", "gpg:--homedir=/tmp", "ssh:a\nb"}) {
    INFO(text);
    CHECK(ParseKeyChoice(text, "/etc").error().code() == Errc::kInvalid);
  }
}

TEST_CASE("key choice: its text is read again as the same", "[cli]") {
  for (const char* text : {"/a/me.key", "ssh:SHA256:abc", "gpg:0123", "file:ssh:x"}) {
    const auto choice = ParseKeyChoice(text, "");
    REQUIRE(choice);
    CHECK(KeyChoiceText(*choice) == text);
    CHECK(*ParseKeyChoice(KeyChoiceText(*choice), "") == *choice);
  }
}
