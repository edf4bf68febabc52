#include "roles/agent/self_facts.h"

#include <catch2/catch.hpp>

#include "proto/grant.h"
#include "test/deployment.h"
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
  return self;
}

Truth Ask(const std::string& target, const Self& self, const TrustedPolicy* policy) {
  auto parsed = Target::Parse(target);
  REQUIRE(parsed);
  return parsed->Evaluate(FactsAbout(self, policy, TimeAt("2026-11-23T12:00:00Z")));
}

Truth Ask(const std::string& target) {
  const TrustedPolicy policy = Deployment().Trusted();
  return Ask(target, Web1(), &policy);
}

// Enrolled with a token whose grant says operator=it, signed by bob.
Self Tagged(const Deployment& deployment) {
  Self self = Web1();
  Grant grant;
  grant.org = deployment.org;
  grant.token = Bytes(32, 't');
  grant.tags = {{"operator", "it"}, {"site", "berlin"}};
  grant.issued = deployment.now;
  grant.expires = deployment.now + std::chrono::hours(1);
  self.granted = {grant.token, Seal(kGrantType, EncodeGrant(grant), deployment.bob)};
  return self;
}

TEST_CASE("self facts: a target asks for what the agent knows of itself", "[agent]") {
  CHECK(Ask("name = 'web1'") == Truth::kTrue);
  CHECK(Ask("id = '" + Web1().id.Text() + "'") == Truth::kTrue);
  CHECK(Ask("version = '1.2.3'") == Truth::kTrue);
  CHECK(Ask("environment->>'os' = 'linux'") == Truth::kTrue);
  CHECK(Ask("environment->>'addresses' LIKE '%10.0.0.1%'") == Truth::kTrue);
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

TEST_CASE("self facts: tags are those of the grant, and those of the policy go before", "[agent]") {
  Deployment deployment;
  const Self self = Tagged(deployment);
  deployment.policy.tags[self.id] = {{"site", "paris"}, {"rack", "r1"}};
  const TrustedPolicy policy = deployment.Trusted();
  CHECK(Ask("tags->>'operator' = 'it'", self, &policy) == Truth::kTrue);
  CHECK(Ask("tags->>'site' = 'paris'", self, &policy) == Truth::kTrue);
  CHECK(Ask("tags->>'site' = 'berlin'", self, &policy) == Truth::kFalse);
  CHECK(Ask("tags->>'rack' = 'r1'", self, &policy) == Truth::kTrue);
  CHECK(Ask("tags->>'owner' IS NULL", self, &policy) == Truth::kTrue);
}

TEST_CASE("self facts: a grant that does not count any more makes tags unknown, not absent",
          "[agent]") {
  Deployment deployment;
  const Self self = Tagged(deployment);
  deployment.policy.tags[self.id] = {{"rack", "r1"}};
  SECTION("its signer left") { deployment.policy.people[1].active = false; }
  SECTION("its signer's key is revoked") {
    deployment.policy.revoked = {Deployment::IdOf(deployment.bob)};
  }
  SECTION("its signer may not enrol") { deployment.policy.enrolment->weights.erase("bob"); }
  SECTION("nobody may enrol") { deployment.policy.enrolment.reset(); }
  const TrustedPolicy policy = deployment.Trusted();
  CHECK(Ask("tags->>'operator' = 'it'", self, &policy) == Truth::kUnknown);
  CHECK(Ask("NOT tags->>'operator' = 'it'", self, &policy) == Truth::kUnknown);
  CHECK(Ask("tags->>'rack' = 'r1'", self, &policy) == Truth::kTrue);  // the policy says so itself
}

TEST_CASE("self facts: a grant of another token, or an altered one, gives no tags", "[agent]") {
  Deployment deployment;
  const TrustedPolicy policy = deployment.Trusted();
  Self self = Tagged(deployment);
  self.granted->token_hash[0] ^= 1;
  CHECK(Ask("tags->>'operator' = 'it'", self, &policy) == Truth::kUnknown);
  self = Tagged(deployment);
  self.granted->grant.payload[self.granted->grant.payload.find("berlin")] = 'B';
  CHECK(Ask("tags->>'site' = 'Berlin'", self, &policy) == Truth::kUnknown);
  self.granted = Self::Granted{};  // what is on the disk cannot be read
  CHECK(Ask("tags->>'site' = 'berlin'", self, &policy) == Truth::kUnknown);
  CHECK(Ask("tags->>'site' = 'berlin'", self, nullptr) == Truth::kUnknown);
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
  CHECK(*paths(R"({"searches":{"a":{"paths":["/etc",{"attachment":"p"}]}}})") ==
        std::vector<std::string>{"/etc"});
  CHECK_FALSE(paths(R"({"searches":{"a":{"paths":{"attachment":"p"}}}})"));
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
