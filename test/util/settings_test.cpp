#include "util/settings.h"

#include <catch2/catch.hpp>

using namespace mig;

TEST_CASE("settings: an unknown key is refused with its line and the near one", "[util]") {
  auto file = Settings::Parse("listen: 127.0.0.1:1\ntls:\n  ca: a\n  crl: b\n", "relay.yaml");
  REQUIRE(file);
  CHECK(file->String("listen", "") == "127.0.0.1:1");
  Settings tls = file->Section("tls");
  tls.String("ca", "");
  tls.String("crls", "");
  const auto done = file->Finish();
  REQUIRE_FALSE(done);
  CHECK(done.error().message() == "relay.yaml:4: unknown key `tls.crl`, did you mean `crls`?");
}

TEST_CASE("settings: a wrong value names file, line and what was expected", "[util]") {
  auto file = Settings::Parse("a: 1\nport: many\n", "x.yaml");
  file->Integer("a", 0, 0, 5);
  file->Integer("port", 1, 1, 65535);
  CHECK(file->Finish().error().message() ==
        "x.yaml:2: port: expected a whole number 1..65535, not `many`");
}

TEST_CASE("settings: a required key that is misspelt is shown as what it is", "[util]") {
  auto file = Settings::Parse("a: 1\nstor: x\n", "x.yaml");
  file->Integer("a", 0, 0, 5);
  file->RequiredString("store");
  CHECK(file->Finish().error().message() == "x.yaml:2: unknown key `stor`, did you mean `store`?");
}

TEST_CASE("settings: sizes, durations, lists and maps", "[util]") {
  auto file = Settings::Parse(
      "size: 64k\nwait: 1m30s\nlist: [a, b]\ntags: {operator: it}\nrelays:\n  - url: x\n"
      "flag: yes\n",
      "x.yaml");
  CHECK(file->Size("size", 0) == 65536);
  CHECK(file->Duration("wait", {}) == std::chrono::seconds(90));
  CHECK(file->Strings("list") == std::vector<std::string>{"a", "b"});
  CHECK(file->StringMap("tags").at("operator") == "it");
  auto relays = file->Sections("relays");
  REQUIRE(relays.size() == 1);
  CHECK(relays[0].RequiredString("url") == "x");
  CHECK(file->Bool("flag", false));
  CHECK(file->Finish());
}

TEST_CASE("settings: bad YAML, a list at the top and a doubled key are errors", "[util]") {
  CHECK_FALSE(Settings::Parse("a: [1", "x"));
  CHECK_FALSE(Settings::Parse("- a\n", "x"));
  for (const char* open : {"a: \"x\nb: true\n", "a: \"x", "a: 'x\nb: true\n"}) {
    const auto unclosed = Settings::Parse(open, "x");
    REQUIRE_FALSE(unclosed);
    CHECK(unclosed.error().message().find("does not end") != std::string::npos);
  }
  CHECK(Settings::Parse("a: 1\n---\nb: 2\n", "x").error().message() ==
        "x:2: a second document begins; one is read");
  CHECK_FALSE(Settings::Parse(",*a]\nl: [*b]\n", "x"));
  CHECK(Settings::Parse("# nothing\n", "x"));
  CHECK(Settings::Parse("---\na: 1 # one\n...\n", "x"));
  auto twice = Settings::Parse("a: 1\na: 2\n", "x");
  twice->String("a", "");
  CHECK_FALSE(twice->Finish());
  auto missing = Settings::Parse("", "x");
  missing->RequiredString("ca");
  CHECK(missing->Finish().error().message() == "x: `ca` is missing");
}
