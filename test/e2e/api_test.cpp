// The API as a program of somebody else's meets it: examples/api/call.sh, which has only curl and
// OpenSSL, and docs/api.md, whose examples a running server must match.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "crypto/envelope.h"
#include "net/sse_parser.h"
#include "test/document.h"
#include "test/e2e/deployment.h"
#include "test/skip.h"

using namespace mig;
using namespace mig::e2e;

namespace {

const Document& Api() {
  static const Document document = ReadDocument("docs/api.md");
  return document;
}

bool HaveTools() {
  return Run({"/bin/sh", "-c", "curl --version && openssl version && base32 --version"}).status ==
         0;
}

// `mig`'s own configuration of the lab, in the hands of the script.
Outcome Call(const Lab& lab, std::vector<std::string> words, std::string body = {}) {
  words.insert(words.begin(), MIG_SOURCE_DIR "/examples/api/call.sh");
  if (!body.empty()) words.emplace_back("-");
  RunOptions options;
  options.environment["MIG_CONFIG"] = (lab.folder() / "config/client.yaml").string();
  options.input = std::move(body);
  return Run(words, options);
}

json::value Answer(const Lab& lab, std::vector<std::string> words, std::string body = {}) {
  const Outcome outcome = Call(lab, std::move(words), std::move(body));
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.status == 0);
  return ParseJson(outcome.out);
}

json::value ExampleOf(std::string_view name) {
  INFO(name);
  const Example* example = Api().Find(name);
  REQUIRE(example != nullptr);
  return ParseJson(example->text);
}

// Both have the same fields with values of the same kind; null, and a list without elements, say
// nothing. Below these two everybody has names of their own.
void CheckShape(const json::value& real, const json::value& example, const std::string& path) {
  INFO(path << ": " << json::Write(real) << " is not like " << json::Write(example));
  if (real.is_null() || example.is_null()) return;
  const bool numbers = real.is_number() && example.is_number();
  REQUIRE((numbers || real.kind() == example.kind()));
  if (path.ends_with(".environment") || path.ends_with(".tags")) return;
  if (real.is_array()) {
    if (!real.as_array().empty() && !example.as_array().empty()) {
      CheckShape(real.at(0), example.at(0), path + "[]");
    }
  } else if (real.is_object()) {
    for (const auto& member : example.as_object()) {
      if (member.key() == "next") continue;  // only where there is more
      INFO("missing: " << member.key());
      REQUIRE(real.as_object().contains(member.key()));
      CheckShape(real.at(member.key()), member.value(), path + "." + std::string(member.key()));
    }
    for (const auto& member : real.as_object()) {
      INFO("not in the document: " << member.key());
      CHECK((member.key() == "next" || example.as_object().contains(member.key())));
    }
  }
}

std::vector<SseEvent> EventsIn(const std::string& text) {
  SseParser parser;
  auto events = parser.Feed(text);
  REQUIRE(events);
  return std::move(*events);
}

}  // namespace

TEST_CASE("api.md: a lab answers like the examples, to a program of curl and OpenSSL", "[e2e]") {
  if (!HaveTools()) MIG_SKIP("needs curl, openssl and base32");
  const Lab lab;
  const Outcome printed = lab.Mig({"query", "example", "-gethostname", "-p"});
  REQUIRE(printed.status == 0);
  const json::value posted = Answer(lab, {"POST", "/v1/actions"}, printed.out);
  CheckShape(posted, ExampleOf("POST /v1/actions"), "");
  const std::string id(posted.at("id").as_string());

  const Outcome stream = Call(lab, {"GET", "/v1/actions/" + id + "/events"});
  INFO(stream.out << stream.err);
  REQUIRE(stream.status == 0);
  std::map<std::string, json::value> described;
  for (const SseEvent& event : EventsIn(Api().Find("GET /v1/actions/{id}/events")->text + "\n")) {
    described[event.event] = ParseJson(event.data);
  }
  std::set<std::string> seen;
  for (const SseEvent& event : EventsIn(stream.out)) {
    INFO(event.event);
    REQUIRE(described.count(event.event) == 1);
    CheckShape(ParseJson(event.data), described[event.event], event.event);
    CHECK(seen.count("end") == 0);
    seen.insert(event.event);
  }
  CHECK(seen == std::set<std::string>{"part", "command", "progress", "end"});

  CheckShape(Answer(lab, {"POST", "/v1/targets"}, R"({"target":"all"})"),
             ExampleOf("POST /v1/targets"), "");
  for (const std::string& section : Api().sections) {
    if (!section.starts_with("GET /") || section.ends_with("/events")) continue;
    if (section.find("{sha256}") != std::string::npos) continue;  // content, no JSON
    std::string path = section.substr(4);
    if (const auto at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, id);
    INFO(path);
    CheckShape(Answer(lab, {"GET", path}), ExampleOf(section), "");
  }

  for (const auto& [method, path] : {std::pair{"GET", "/v1/actions?limit=0"},
                                     {"GET", "/v1/nothing"},
                                     {"POST", "/v1/agents"},
                                     {"GET", "/v1/actions/aaaaaaaaaaaaaaaaaaaaaaaaaa"}}) {
    INFO(method << " " << path);
    const Outcome refused = Call(lab, {method, path});
    CHECK(refused.status != 0);
    CheckShape(ParseJson(refused.out), ExampleOf("error"), "");
  }
}

TEST_CASE("api: an action that needs two people runs once the second has signed it", "[e2e]") {
  if (!HaveTools()) MIG_SKIP("needs curl, openssl and base32");
  const Lab lab;
  const Deployment deployment(lab);
  const SecretKey bob = SecretKey::Generate();
  Policy policy = deployment.policy;
  policy.version = 2;
  policy.people.push_back({"bob", "Bob", true, {{"ed25519", Bytes(bob.public_key().View())}}});
  policy.modules["example"] = {2, {{policy.people[0].id, 1}, {"bob", 1}}, {}};
  const auto file = lab.folder() / "trust/policy.json";
  std::ofstream(file, std::ios::trunc)
      << EncodeEnvelope(Seal(kPolicyType, EncodePolicy(policy), deployment.root));
  for (const char* role : {"api", "scheduler"}) REQUIRE(kill(lab.PidOf(role), SIGHUP) == 0);
  const auto agent_has_it = [&] {
    for (const json::value& entry : lab.Ledger()) {
      if (entry.at("event").as_string() == "policy" &&
          entry.at("facts").at("version").to_number<int>() == 2) {
        return true;
      }
    }
    return false;
  };
  REQUIRE(Eventually(std::chrono::seconds(20), agent_has_it));

  Action action = GoodAction(deployment);
  action.policy = 2;
  const Envelope by_one = Signed(action, deployment.investigator);
  const json::value pending = Answer(lab, {"POST", "/v1/actions"}, EncodeEnvelope(by_one));
  CHECK(pending.at("status").as_string() == "pending");
  CHECK_FALSE(pending.at("weight_reached").as_bool());
  CHECK(lab.Runs(action.id.Text()) == 0);

  const json::value scheduled =
      Answer(lab, {"POST", "/v1/actions"}, EncodeEnvelope(Signed(action, bob)));
  CHECK(scheduled.at("weight_reached").as_bool());
  CHECK(scheduled.at("people").as_array().size() == 2);
  const Outcome followed = lab.Mig({"results", action.id.Text(), "-f"});
  INFO(followed.out << followed.err);
  CHECK(followed.status == 0);
  CHECK(lab.Runs(action.id.Text()) == 1);
}
