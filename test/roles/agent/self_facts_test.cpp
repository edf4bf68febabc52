#include "roles/agent/self_facts.h"

#include <catch2/catch.hpp>

#include "test/roles/agent/test_modules.h"

namespace mig::agent {
namespace {

Self Web1() {
  Self self;
  self.id = *AgentId::FromBytes(Bytes(32, 'a'));
  self.name = "web1";
  self.version = "1.2.3";
  self.environment.os = "linux";
  self.environment.addresses = {"10.0.0.1/8"};
  self.tags = {{"operator", "it"}};
  return self;
}

Truth Ask(const std::string& target) {
  const Self self = Web1();
  auto parsed = Target::Parse(target);
  REQUIRE(parsed);
  return parsed->Evaluate(FactsAbout(self, *ParseRfc3339("2026-11-23T12:00:00Z")));
}

TEST_CASE("self facts: a target asks for what the agent knows of itself", "[agent]") {
  CHECK(Ask("name = 'web1'") == Truth::kTrue);
  CHECK(Ask("id = '" + Web1().id.Text() + "'") == Truth::kTrue);
  CHECK(Ask("version = '1.2.3'") == Truth::kTrue);
  CHECK(Ask("environment->>'os' = 'linux'") == Truth::kTrue);
  CHECK(Ask("environment->>'addresses' LIKE '%10.0.0.1%'") == Truth::kTrue);
  CHECK(Ask("tags->>'operator' IN ('it','sec')") == Truth::kTrue);
  CHECK(Ask("name = 'db1'") == Truth::kFalse);
}

TEST_CASE("self facts: what nobody set is not there, what only the server knows is unknown",
          "[agent]") {
  CHECK(Ask("tags->>'site' = 'x'") != Truth::kTrue);
  CHECK(Ask("environment->>'nothing' = 'x'") != Truth::kTrue);
  CHECK(Ask("status = 'online'") == Truth::kUnknown);
  CHECK(Ask("heartbeattime > now - 1h") == Truth::kUnknown);
  CHECK(Ask("status = 'online' AND name = 'db1'") == Truth::kFalse);
}

TEST_CASE("self facts: the paths of every search, and the default where none is given", "[agent]") {
  const auto paths = [](std::string_view text) {
    return PathsOf(kRead, json::ParseObject(text).value());
  };
  CHECK(*paths(R"({"searches":{"a":{"paths":["/etc","/opt"]},"b":{"paths":["/usr"]}}})") ==
        std::vector<std::string>{"/etc", "/opt", "/usr"});
  CHECK(*paths(R"({"searches":{"a":{},"b":{"paths":[]},"c":{"paths":null}}})") ==
        std::vector<std::string>{"/", "/", "/"});
  CHECK(*paths(R"({"searches":{"a":{"paths":[{"b64":"L/8="}]}}})") ==
        std::vector<std::string>{"/\xff"});
  CHECK_FALSE(paths(R"({"searches":{"a":{"paths":[1]}}})"));
  CHECK_FALSE(paths(R"({"searches":{"a":1}})"));
  CHECK_FALSE(paths(R"({})"));
  CHECK(PathsOf(kLook, {})->empty());
}

TEST_CASE("self facts: a module's kind and parameters come from its declaration", "[agent]") {
  RegisterTestModules();
  CHECK_FALSE(FactsOfModule("nosuch"));
  const auto act = FactsOfModule("act");
  REQUIRE(act);
  CHECK(act->kind == Kind::kRespond);
  const auto look = FactsOfModule("look");
  CHECK(look->check_parameters({{"word", "x"}}));
  CHECK_FALSE(look->check_parameters({{"wrod", "x"}}));
}

}  // namespace
}  // namespace mig::agent
