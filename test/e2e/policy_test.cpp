// A policy as people work with it: drafted, signed and published by the verbs in a running lab.
#include <catch2/catch.hpp>

#include "crypto/key_file.h"
#include "test/e2e/courier.h"
#include "test/e2e/investigator.h"
#include "test/e2e/lab.h"

using namespace mig;
using namespace mig::e2e;

namespace {

std::string RootKey(const Lab& lab) { return (lab.folder() / "keys" / "root.key").string(); }
std::string Folder(const Lab& lab) { return (lab.folder().parent_path() / "policy").string(); }

Outcome RunPolicyVerb(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.begin(), "policy");
  words.insert(words.end(), {"--dir", Folder(lab)});
  return lab.Mig(std::move(words));
}

// Runs it and requires that it did what it was asked.
std::string Done(const Lab& lab, std::vector<std::string> words) {
  const Outcome outcome = RunPolicyVerb(lab, std::move(words));
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.status == 0);
  return outcome.out;
}

std::string NewKey(const Lab& lab, const std::string& name) {
  const std::string file = (lab.folder().parent_path() / (name + ".key")).string();
  const Outcome made =
      lab.Mig({"key", "new", "--name", name + " <x@y>", "--no-passphrase", "--out", file});
  REQUIRE(made.status == 0);
  return file;
}

std::string LineOf(const Lab& lab, const std::string& key) {
  const Outcome shown = lab.Mig({"key", "show", key});
  return shown.out.substr(0, shown.out.find('\n'));
}

// Not as the lab's owner, for whom the lab states freshness by itself.
Outcome FromOutside(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.end(), {"--config", (lab.folder() / "config" / "client.yaml").string()});
  return lab.Mig(std::move(words));
}

bool AgentHolds(const Lab& lab, std::uint64_t version) {
  return Eventually(std::chrono::seconds(15), [&] {
    const Outcome outcome = lab.Mig({"agents", "--json"});
    const json::value list = ParseJson(outcome.out);
    return list.at("agents").at(0).at("policy").to_number<std::uint64_t>() == version;
  });
}

}  // namespace

TEST_CASE("policy: what is published in a running lab counts at once, and what is older never",
          "[e2e][policy]") {
  const Lab lab;
  Done(lab, {"pull"});
  const std::string bob = NewKey(lab, "bob");
  const std::string changes =
      Done(lab, {"add-person", "bob", "--key", LineOf(lab, bob), "--like", "lab"});
  CHECK(changes.find("bob alone is now enough for any other module") != std::string::npos);
  // Nobody but a keeper of a root key signs, and what is not signed is not taken.
  CHECK(RunPolicyVerb(lab, {"sign", "--yes", "--key", bob}).status == 4);
  CHECK(RunPolicyVerb(lab, {"publish"}).status == 4);
  Done(lab, {"sign", "--yes", "--key", RootKey(lab)});
  const std::string old_documents = e2e::ReadText(Folder(lab) + "/published.json");
  Done(lab, {"publish"});
  CHECK(AgentHolds(lab, 2));
  // bob orders, with no restart of anything.
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "--key", bob});
  INFO(asked.err);
  CHECK((asked.status == 0 || asked.status == 1));

  Done(lab, {"remove-person", "bob", "--disable"});
  Done(lab, {"sign", "--yes", "--key", RootKey(lab)});
  Done(lab, {"publish"});
  CHECK(AgentHolds(lab, 3));
  CHECK(lab.Mig({"query", "example", "-t", "all", "--key", bob}).status == 4);

  Investigator investigator(lab);
  const HttpReply replayed = investigator.CallUnsigned("POST", "/v1/policy", old_documents);
  CHECK(replayed.status == 409);

  const Outcome log = lab.Mig({"policy", "log"});
  CHECK(log.status == 0);
  CHECK(log.out.find("version 3, root version 1") != std::string::npos);
  CHECK(log.out.find("bob (bob <x@y>) is disabled") != std::string::npos);
  CHECK(log.out.find("version 1, root version 1") != std::string::npos);
}

TEST_CASE("policy: a new root keeper takes over, and a server that starts anew knows it",
          "[e2e][policy]") {
  const Lab lab;
  Done(lab, {"pull"});
  const std::string dora = NewKey(lab, "dora");
  Done(lab, {"root", "add-key", LineOf(lab, dora)});
  Done(lab, {"root", "threshold", "2"});
  Done(lab, {"sign", "--yes", "--key", RootKey(lab)});
  CHECK(RunPolicyVerb(lab, {"publish"}).status == 4);
  Done(lab, {"sign", "--yes", "--key", dora});
  Done(lab, {"publish"});
  CHECK(lab.LogSays("agent-1", "root=2"));
  REQUIRE(lab.Mig({"lab", "down"}).status == 0);
  lab.Up(1);
  const Outcome shown = lab.Mig({"policy", "show"});
  CHECK(shown.out.find("root version 2: 2 of 2 keys must sign") != std::string::npos);
  const Outcome asked = lab.Mig({"query", "example", "-t", "all"});
  INFO(asked.err);
  CHECK((asked.status == 0 || asked.status == 1));
}

TEST_CASE("policy: what changes machines waits for a word about the new version, as people hear",
          "[e2e][policy]") {
  const Lab lab;
  const std::string key = (lab.folder() / "keys" / "freshness.key").string();
  const auto publish = [&](const std::string& expires, std::vector<std::string> words) {
    Done(lab, {"pull", "--force"});
    Done(lab, {"set", "expires", expires});
    Done(lab, {"sign", "--yes", "--key", RootKey(lab)});
    words.insert(words.begin(), {"policy", "publish", "--dir", Folder(lab)});
    return FromOutside(lab, std::move(words));
  };
  constexpr std::string_view kNext = "mig policy fresh --key FRESHNESS_KEY --publish";
  const Outcome alone = publish("2d", {});
  CHECK(alone.status == 0);
  CHECK(alone.err.find(kNext) != std::string::npos);
  CHECK(alone.err.find("expires in") != std::string::npos);
  REQUIRE(AgentHolds(lab, 2));
  for (const char* verb : {"status", "pending"}) {
    INFO(verb);
    const Outcome outcome = FromOutside(lab, {verb});
    CHECK(outcome.err.find(kNext) != std::string::npos);
    CHECK(outcome.err.find("expires in") != std::string::npos);
  }
  // Said where it is about to be signed, too.
  const Outcome asked = FromOutside(lab, {"query", "agentdestroy", "-pid", "4000000", "-started",
                                          "2026-11-23T09:30:00Z", "--yes"});
  CHECK(asked.err.find("every agent will refuse this") != std::string::npos);
  // And by the machines themselves.
  const std::string log = e2e::ReadText((lab.folder() / "log" / "agent-1.log").string());
  CHECK(log.find("policy version 2 expires in") != std::string::npos);
  CHECK(log.find("there is no freshness statement about policy version 2") != std::string::npos);
  const Outcome report =
      lab.Mig({"agent", "report", "--config", (lab.folder() / "config" / "agent-1.yaml").string()});
  CHECK(report.out.find("goes by policy version 2") != std::string::npos);
  CHECK(report.out.find("WARNING: policy version 2 expires in") != std::string::npos);

  // A key that the policy does not name: nothing is published.
  const Outcome wrong = publish("40d", {"--fresh-key", RootKey(lab)});
  CHECK(wrong.status == 4);
  const Outcome both =
      FromOutside(lab, {"policy", "publish", "--dir", Folder(lab), "--fresh-key", key});
  INFO(both.err);
  CHECK(both.status == 0);
  CHECK(both.err.find("this version is the newest") != std::string::npos);
  CHECK(AgentHolds(lab, 3));
  CHECK(FromOutside(lab, {"status"}).err.find("Note:") == std::string::npos);
}

TEST_CASE(
    "policy: documents that come back from another keeper are the folder's own when published",
    "[e2e][policy]") {
  const Lab lab;
  Done(lab, {"pull"});
  Done(lab, {"set", "ceilings.seconds", "60"});
  const std::string file = (lab.folder().parent_path() / "back.json").string();
  std::filesystem::copy_file(Folder(lab) + "/documents.json", file);
  const Outcome done = RunPolicyVerb(lab, {"sign", file, "--yes", "--key", RootKey(lab)});
  CHECK(done.err.find("mig policy publish " + file) != std::string::npos);
  Done(lab, {"publish", file});
  // The next draft follows it.
  const std::string changes = Done(lab, {"set", "ceilings.seconds", "70"});
  CHECK(changes.find("policy version 3, against version 2") != std::string::npos);
}

TEST_CASE("policy: a freshness key confirms no policy that is older than one it has seen",
          "[e2e][policy]") {
  const Lab lab;
  const std::string key = (lab.folder() / "keys" / "freshness.key").string();
  RunOptions options;
  options.environment["XDG_STATE_HOME"] = (lab.folder().parent_path() / "state").string();
  CHECK(lab.Mig({"policy", "fresh", "--publish", "--key", key}, options).status == 0);
  Done(lab, {"pull"});
  Done(lab, {"set", "ceilings.seconds", "60"});
  Done(lab, {"sign", "--yes", "--key", RootKey(lab)});
  // Seen by an administrator, and not shown by the server.
  const Outcome refused = lab.Mig(
      {"policy", "fresh", "--key", key, "--known", Folder(lab) + "/documents.json"}, options);
  CHECK(refused.status == 4);
  CHECK(refused.err.find("not the newest") != std::string::npos);
  // A name that was mistyped is no check that passed.
  CHECK(lab.Mig({"policy", "fresh", "--key", key, "--known", "no-such-file"}, options).status != 0);
  Done(lab, {"publish"});
  CHECK(lab.Mig({"policy", "fresh", "--publish", "--key", key}, options).status == 0);
  CHECK(lab.Mig({"policy", "fresh", "--key", RootKey(lab)}, options).status == 4);
}

TEST_CASE("policy: an agent that was off through twelve changes of the root follows them all",
          "[e2e][policy]") {
  const Lab lab;
  REQUIRE(lab.LogSays("agent-1", "policy taken version=1 root=1"));
  REQUIRE(lab.Mig({"lab", "stop", "agent-1"}).status == 0);
  Done(lab, {"pull"});
  // Each time another keeper alone: no key of the first root stands in the last.
  const auto id_of = [](const std::string& file) {
    auto key = ReadKeyFile(e2e::ReadText(file), "");
    REQUIRE(key);
    return KeyId::FromBytes(key->secret.public_key().Fingerprint())->Text();
  };
  const std::string bob = NewKey(lab, "bob");
  std::string keeper = RootKey(lab);
  for (int version = 2; version <= 13; ++version) {
    const std::string next = NewKey(lab, "keeper-" + std::to_string(version));
    Done(lab, {"root", "add-key", LineOf(lab, next)});
    Done(lab, {"root", "remove-key", id_of(keeper)});
    if (version == 13) Done(lab, {"add-person", "bob", "--key", LineOf(lab, bob), "--like", "lab"});
    Done(lab, {"sign", "--yes", "--key", keeper});
    CHECK(RunPolicyVerb(lab, {"publish"}).status == 4);  // the old keeper alone is not enough
    Done(lab, {"sign", "--yes", "--key", next});
    Done(lab, {"publish"});
    keeper = next;
  }
  const auto say = [&](int root) {
    return lab.Log("agent-1").find("root=" + std::to_string(root)) != std::string::npos;
  };
  CHECK_FALSE(say(2));
  SECTION("each change waited for it at the relay") {
    REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
    REQUIRE(lab.LogSays("agent-1", "root=13"));
    CHECK(say(12));
  }
  SECTION("nobody kept anything for it, so that it takes the whole chain at once") {
    REQUIRE(lab.Mig({"lab", "stop", "relay"}).status == 0);
    for (const char* file : {"relay.db", "relay.db-wal", "relay.db-shm"}) {
      std::filesystem::remove(lab.folder() / "data" / file);
    }
    REQUIRE(lab.Mig({"lab", "start", "relay"}).status == 0);
    REQUIRE(lab.Mig({"lab", "start", "agent-1"}).status == 0);
    REQUIRE(lab.LogSays("agent-1", "root=13"));
    CHECK_FALSE(say(12));
  }
  CHECK(AgentHolds(lab, 2));  // the policy itself changed once
  // bob stands in the newest policy only.
  const Outcome asked = lab.Mig({"query", "example", "-t", "all", "-gethostname", "--key", bob});
  INFO(asked.out << asked.err);
  CHECK(asked.status == 0);

  // The first root's key is worth nothing any more, however high a version it signs.
  const Deployment deployment(lab);
  Policy policy = deployment.policy;
  policy.version = 99;
  Courier(lab).SendPolicy(deployment.agent, deployment, policy);
  CHECK(lab.LogSays("agent-1", "root version 1 is older than version 13"));
  CHECK(lab.Mig({"query", "example", "-t", "all", "-gethostname", "--key", bob}).status == 0);
}
