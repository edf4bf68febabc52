#include "verb_table.h"

#include <catch2/catch.hpp>

using namespace mig;

namespace {

int Zero(std::span<const std::string>) { return 0; }

constexpr Verb kTable[] = {
    {"lab", Verb::Group::kStart, "a lab", &Zero},
    {"query", Verb::Group::kInvestigator, "ask", &Zero},
    {"agent", Verb::Group::kEndpoint, "an agent", &Zero},
    {"relay", Verb::Group::kServer, "a relay", &Zero},
};

Expected<Dispatch> Look(std::string_view called_as, std::vector<std::string> arguments) {
  return FindVerb(kTable, called_as, arguments,
                  [](std::string_view word) { return word == "file"; });
}

}  // namespace

TEST_CASE("verbs: a link's name picks the role and keeps every argument", "[main]") {
  const auto found = Look("/usr/sbin/mig-agent", {"--config", "x"});
  REQUIRE(found);
  CHECK(found->verb->name == "agent");
  CHECK(found->arguments == std::vector<std::string>{"--config", "x"});
}

TEST_CASE("verbs: a link with an unknown name is the plain executable", "[main]") {
  const auto found = Look("mig-something", {"relay"});
  REQUIRE(found);
  CHECK(found->verb->name == "relay");
}

TEST_CASE("verbs: a module's name means query", "[main]") {
  const auto found = Look("mig", {"file", "-name", "x"});
  REQUIRE(found);
  CHECK(found->verb->name == "query");
  CHECK(found->arguments == std::vector<std::string>{"file", "-name", "x"});
}

TEST_CASE("verbs: an unknown verb names the near ones", "[main]") {
  const auto found = Look("mig", {"qeury"});
  REQUIRE_FALSE(found);
  CHECK(found.error().message() == "`qeury` is neither a verb nor a module, did you mean `query`?");
}

TEST_CASE("verbs: options take one dash or two", "[main]") {
  CHECK(Look("mig", {"-version"})->kind == Dispatch::Kind::kVersion);
  CHECK(Look("mig", {"--version"})->kind == Dispatch::Kind::kVersion);
  CHECK(Look("mig", {"-list"})->kind == Dispatch::Kind::kList);
  CHECK(Look("mig", {})->kind == Dispatch::Kind::kHelp);
  CHECK(Look("mig", {"help", "relay"})->verb->name == "relay");
  CHECK(Look("mig", {"help", "lab", "up"})->verb->name == "lab");
  CHECK(Look("mig", {"help", "lab", "up"})->arguments == std::vector<std::string>{"up"});
  CHECK(Look("mig", {"help", "file"})->arguments == std::vector<std::string>{"file"});
  CHECK_FALSE(Look("mig", {"--install"}));
  CHECK_FALSE(Look("mig", {"--verison"}));
}

TEST_CASE("verbs: the help page has every verb under its heading", "[main]") {
  const std::string page = HelpPage(kTable);
  CHECK(page.find("Try it:\n  lab         a lab\n") != std::string::npos);
  CHECK(page.find("On the server:\n  relay") != std::string::npos);
}
