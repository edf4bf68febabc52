// Several people, as they work with `mig pending`, `approve`, `reject` and `stop`, and an attacker
// who owns the server or one of them.
#include <catch2/catch.hpp>

#include "store/server_db.h"
#include "test/e2e/investigator.h"
#include "test/e2e/two_people.h"

using namespace mig;
using namespace mig::e2e;

namespace {

bool Says(const Outcome& outcome, const std::string& words) {
  INFO(outcome.out << outcome.err);
  return (outcome.out + outcome.err).find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("approve: a second person sees what is asked, signs it, and it runs", "[e2e]") {
  const TwoPeople people;
  const std::string id = people.Pending();
  CHECK(people.StatusOf(id) == "pending");

  const Outcome listed = people.AsBob({"pending"});
  CHECK(listed.status == 0);
  CHECK(Says(listed, id));
  CHECK(Says(listed, "Lab Investigator <lab@localhost>"));
  CHECK(Says(listed, "example: weight 1 of 2; could sign: Bob <bob@example.org> (weight 1)"));
  CHECK(Says(listed, "you         can sign it"));
  CHECK(Says(people.AsLab({"pending"}), "you         have signed it"));
  const json::value document = people.Json(people.AsBob({"pending", "--json"}));
  const json::value& action = document.at("actions").at(0);
  CHECK(action.at("id").as_string() == id);
  CHECK(action.at("machines").as_int64() == 1);
  CHECK(action.at("missing").at(0).at("candidates").at(0).at("person").as_string() == "bob");

  // Nobody to ask, and nobody said yes: nothing is signed.
  const Outcome asked = people.AsBob({"approve", id});
  CHECK(asked.status == 2);
  CHECK(Says(asked, "--yes"));
  CHECK(Says(asked, "kind        investigate"));
  CHECK(Says(asked, "machines    agent-1"));
  CHECK(people.StatusOf(id) == "pending");

  // Who signed already adds nothing.
  const Outcome own = people.AsLab({"approve", id, "--yes"});
  CHECK(own.status == 0);
  CHECK(Says(own, "You have signed it already"));
  CHECK(people.StatusOf(id) == "pending");

  const Outcome approved = people.AsBob({"approve", id, "--yes"});
  CHECK(approved.status == 0);
  CHECK(Says(approved, "enough people have"));
  const Outcome answers = people.AsLab({"results", id, "-f"});
  INFO(answers.out << answers.err);
  CHECK(answers.status == 0);
  CHECK(people.lab.Runs(id) == 1);

  const Outcome again = people.AsBob({"approve", id, "--yes"});
  CHECK(again.status == 4);
  CHECK(Says(again, "does not wait for signatures"));
  CHECK(people.lab.Runs(id) == 1);
  CHECK(people.AsBob({"pending"}).status == 1);
}

TEST_CASE("reject: it is final, its author reads why, and no signature brings it back", "[e2e]") {
  const TwoPeople people;
  const std::string id = people.Pending();
  CHECK(people.AsBob({"reject", id}).status == 2);
  const Outcome rejected = people.AsBob({"reject", id, "--reason", "all of it is too much"});
  INFO(rejected.err);
  CHECK(rejected.status == 0);
  CHECK(people.StatusOf(id) == "refused");
  const Outcome shown = people.AsLab({"status", id});
  CHECK(Says(shown, "rejected by bob: all of it is too much"));
  // The same again after a lost answer is well; another no comes too late.
  CHECK(people.AsBob({"reject", id, "--reason", "all of it is too much"}).status == 0);
  CHECK(people.AsLab({"reject", id, "--reason", "other"}).status == 4);

  const Outcome approved = people.AsBob({"approve", id, "--yes"});
  CHECK(approved.status == 4);
  CHECK(Says(approved, "rejected by bob"));
  // Nor past our own client, straight to the API.
  Investigator investigator(people.lab);
  const json::value stored = ParseJson(investigator.Call("GET", "/v1/actions/" + id).body);
  CHECK(stored.at("rejected").at("person").as_string() == "bob");
  auto envelope = EnvelopeFromJson(stored.at("envelope").as_object(), "");
  REQUIRE(envelope);
  AddSignature(*envelope, people.bob);
  const HttpReply reply = investigator.Call("POST", "/v1/actions", EncodeEnvelope(*envelope));
  CHECK(reply.status == 409);
  CHECK(people.StatusOf(id) == "refused");
  CHECK(people.lab.Runs(id) == 0);
}

TEST_CASE("approve: one person with two keys is one person", "[e2e]") {
  const TwoPeople people;
  // Bob asks; Bob's other key cannot be the second person.
  const Outcome asked = people.AsBob({"query", "example", "-gethostname"});
  REQUIRE(asked.status == 4);
  const auto at = asked.err.find("mig approve ");
  REQUIRE(at != std::string::npos);
  const std::string id = asked.err.substr(at + 12, ActionId::kTextLength);
  const Outcome own = people.AsBob({"approve", id, "--yes"}, true);
  CHECK(Says(own, "one person counts once"));

  Investigator investigator(people.lab);
  auto envelope = EnvelopeFromJson(
      ParseJson(investigator.Call("GET", "/v1/actions/" + id).body).at("envelope").as_object(), "");
  REQUIRE(envelope);
  AddSignature(*envelope, people.bob_other);
  const HttpReply reply = investigator.Call("POST", "/v1/actions", EncodeEnvelope(*envelope));
  CHECK(reply.status == 202);
  CHECK_FALSE(ParseJson(reply.body).at("weight_reached").as_bool());
  CHECK(people.StatusOf(id) == "pending");
}

TEST_CASE("approve: what the server swapped is not what was signed, and is said", "[e2e]") {
  const TwoPeople people;
  const std::string id = people.Pending();
  const auto db_file = people.lab.folder() / "data/server.db";
  const auto swap = [&](const Envelope& envelope) {
    auto db = store::ServerDb::Open(db_file);
    REQUIRE(db);
    auto done = (*db)->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
      auto changed = tx.AddSignatures(*ActionId::Parse(id), EncodeEnvelope(envelope), {}, false,
                                      "attacker", Now());
      if (!changed) return changed.error();
      return {};
    });
    REQUIRE(done);
  };
  Investigator investigator(people.lab);
  auto original = EnvelopeFromJson(
      ParseJson(investigator.Call("GET", "/v1/actions/" + id).body).at("envelope").as_object(), "");
  REQUIRE(original);
  CHECK(Says(people.AsBob({"approve", id}), "--yes"));  // Bob has looked at it

  // Another text under the old signature: nobody has signed that.
  Envelope altered = *original;
  const auto at = altered.payload.find("\"cpu\":50");
  REQUIRE(at != Bytes::npos);
  altered.payload.replace(at, 8, "\"cpu\":99");
  swap(altered);
  const Outcome forged = people.AsBob({"approve", id, "--yes"});
  CHECK(forged.status == 4);
  CHECK(Says(forged, "no person of the policy has signed it"));
  CHECK(Says(people.AsBob({"pending"}), "REFUSED"));

  // Signed by the first person in league with the server: a good signature, under a known id. Bob
  // is warned and shown the difference, and what he signs is what he was shown.
  Action other = *DecodeAction(original->payload);
  other.operations[0].parameters = {{"getaddresses", true}};
  swap(Signed(other, people.deployment.investigator));
  const Outcome warned = people.AsBob({"approve", id});
  CHECK(Says(warned, "WARNING: under this id you saw something else"));
  CHECK(Says(warned, "-         \"gethostname\": true"));
  CHECK(Says(warned, "+         \"getaddresses\": true"));

  // Swapped between show and sign: the signature is over the bytes that were shown, and joins no
  // other.
  swap(*original);
  Envelope signed_shown{original->payload_type, EncodeAction(other), {}};
  AddSignature(signed_shown, people.bob);
  const HttpReply reply = investigator.Call("POST", "/v1/actions", EncodeEnvelope(signed_shown));
  CHECK(reply.status == 409);
  CHECK(people.StatusOf(id) == "pending");
  CHECK(people.lab.Runs(id) == 0);
}

TEST_CASE("approve: a changed action of the same author and name is shown with its changes",
          "[e2e]") {
  const TwoPeople people;
  const std::string first =
      people.Pending({"query", "example", "-title", "weekly", "-gethostname"});
  CHECK(people.AsBob({"approve", first}).status == 2);
  const std::string second =
      people.Pending({"query", "example", "-title", "weekly", "-lookuphost", "example.org"});
  const Outcome shown = people.AsBob({"approve", second});
  CHECK(Says(shown, "changed since you saw one of this author and name"));
  CHECK(Says(shown, "-         \"gethostname\": true"));
  CHECK(Says(shown, "example.org"));
}

TEST_CASE("approve: after its time nobody can sign an action", "[e2e]") {
  const TwoPeople people;
  const std::string id = people.Pending({"query", "example", "-gethostname", "-e", "2s"});
  Investigator investigator(people.lab);
  auto envelope = EnvelopeFromJson(
      ParseJson(investigator.Call("GET", "/v1/actions/" + id).body).at("envelope").as_object(), "");
  REQUIRE(envelope);
  const UtcTime end = DecodeAction(envelope->payload)->expireafter;
  REQUIRE(Eventually(std::chrono::seconds(10), [&] { return Now() > end; }));
  const Outcome late = people.AsBob({"approve", id, "--yes"});
  CHECK(late.status == 4);
  AddSignature(*envelope, people.bob);
  const HttpReply reply = investigator.Call("POST", "/v1/actions", EncodeEnvelope(*envelope));
  CHECK(reply.status == 403);
  CHECK(ParseJson(reply.body).at("error").at("code").as_string() == "expired");
  CHECK(people.lab.Runs(id) == 0);
}

TEST_CASE("stop: one person ends an action that waits, and one that runs", "[e2e]") {
  const TwoPeople people;
  const std::string waiting = people.Pending();
  const Outcome stopped = people.AsBob({"stop", waiting, "--reason", "not today"});
  INFO(stopped.err);
  CHECK(stopped.status == 0);
  CHECK(
      Eventually(std::chrono::seconds(20), [&] { return people.StatusOf(waiting) == "stopped"; }));
  const Outcome approved = people.AsBob({"approve", waiting, "--yes"});
  CHECK(approved.status == 4);
  CHECK(Says(approved, "stopped"));

  const Outcome sent = people.AsLab({"query", "probe", "--detach", "-attempt", "hang"});
  REQUIRE(sent.status == 130);
  const std::string running = sent.out.substr(0, ActionId::kTextLength);
  REQUIRE(Eventually(std::chrono::seconds(20), [&] { return people.lab.Runs(running) == 1; }));
  CHECK(people.AsBob({"stop", running}).status == 0);
  CHECK(
      Eventually(std::chrono::seconds(30), [&] { return people.StatusOf(running) == "stopped"; }));
  const json::value status = people.Json(people.AsLab({"status", running, "--json"}));
  CHECK(status.at("counters").at("stopped").to_number<int>() == 1);
}

TEST_CASE("approve: a proposal becomes the action of who signs it, once; or is dropped", "[e2e]") {
  const TwoPeople people;
  const auto propose = [&](const std::string& subject) {
    auto db = store::ServerDb::Open(people.lab.folder() / "data/server.db");
    REQUIRE(db);
    store::NewProposal proposal;
    proposal.subject = subject;
    proposal.proposer = "scheduler";
    proposal.kind = Kind::kInvestigate;
    proposal.name = "look at " + subject;
    proposal.target = "name = 'agent-1'";
    proposal.operations = R"([{"module":"example","parameters":{"gethostname":true}}])";
    proposal.reason = "two agents on one machine\x1b[2J";
    proposal.expires = Now() + std::chrono::hours(1);
    REQUIRE((*db)->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
      auto made = tx.Propose(proposal, Now());
      if (!made) return made.error();
      return {};
    }));
    const json::value document = people.Json(people.AsLab({"pending", "--json"}));
    return std::string(document.at("proposals").at(0).at("id").as_string());
  };
  const std::string id = propose("one");
  const Outcome listed = people.AsLab({"pending"});
  CHECK(Says(listed, "nobody has signed it"));
  CHECK_FALSE(Says(listed, "\x1b[2J"));
  const Outcome first = people.AsLab({"approve", id, "--yes"});
  INFO(first.out << first.err);
  CHECK(first.status == 0);
  CHECK(Says(first, "nobody vouches for its reasons"));
  CHECK(people.StatusOf(id) == "pending");  // example wants two
  const Outcome second = people.AsBob({"approve", id, "--yes"});
  CHECK(second.status == 0);
  CHECK(people.AsLab({"results", id, "-f"}).status == 0);
  CHECK(people.lab.Runs(id) == 1);

  const std::string other = propose("two");
  CHECK(people.AsBob({"reject", other, "--reason", "it is no twin"}).status == 0);
  CHECK(people.AsLab({"approve", other, "--yes"}).status != 0);
  CHECK(people.AsLab({"pending"}).status == 1);
}

TEST_CASE("action files: two people sign in turn, without the server, and one of them sends it",
          "[e2e]") {
  const TwoPeople people;
  const std::string file = (people.lab.scratch() / "a.json").string();
  const Outcome made =
      people.AsLab({"action", "sign", MIG_SOURCE_DIR "/examples/actions/who-are-you.json", "-t",
                    "name = 'agent-1'", "-o", file, "--yes"});
  INFO(made.out << made.err);
  REQUIRE(made.status == 0);
  CHECK(Says(made, "name and addresses of the web servers"));
  const std::vector<std::string> offline = {
      "--policy", (people.lab.folder() / "trust/root.1.json").string(), "--policy",
      (people.lab.folder() / "trust/policy.json").string()};
  const auto with_policy = [&](std::vector<std::string> words) {
    words.insert(words.end(), offline.begin(), offline.end());
    return words;
  };
  const Outcome explained = people.AsBob(with_policy({"action", "explain", file}));
  CHECK(explained.status == 0);
  CHECK(Says(explained, "the name is 'agent-1'"));
  CHECK(Says(explained, "missing     example: weight 1 of 2"));
  const Outcome early = people.AsBob(with_policy({"action", "verify", file}));
  CHECK(early.status == 4);
  CHECK(Says(early, "missing   example: weight 1 of 2; could sign: Bob"));
  CHECK(people.AsBob(with_policy({"action", "sign", file})).status == 2);  // nobody to ask
  CHECK(people.AsBob(with_policy({"action", "sign", file, "--yes"})).status == 0);
  CHECK(Says(people.AsBob(with_policy({"action", "sign", file, "--yes"})), "signed it already"));
  CHECK(people.AsLab({"action", "verify", file}).status == 0);
  CHECK(people.AsBob({"query", "-i", file, "-t", "all"}).status == 2);  // signed as it is
  const Outcome answers = people.AsBob({"query", "-i", file});
  INFO(answers.out << answers.err);
  CHECK(answers.err.find("answered 1/1") != std::string::npos);
}

TEST_CASE("query: what changes machines is explained, asked about, and bound to those shown",
          "[e2e]") {
  const TwoPeople people(2);
  // What the lab's supervisor does every hour, for this policy.
  const Outcome fresh = people.AsLab({"policy", "fresh", "--publish", "--key",
                                      (people.lab.folder() / "keys/freshness.key").string()});
  INFO(fresh.out << fresh.err);
  REQUIRE(fresh.status == 0);
  const Outcome unasked = people.AsLab({"query", "probe-act", "-t", "name = 'agent-1'"});
  CHECK(unasked.status == 2);
  CHECK(Says(unasked, "respond: CHANGES THE MACHINES"));
  CHECK(Says(unasked, "machines    agent-1"));
  CHECK(Says(unasked, "--yes"));
  const std::string id =
      people.Pending({"query", "probe-act", "-t", "name = 'agent-1'", "--yes", "-what", "it"});
  Investigator investigator(people.lab);
  const json::value stored = ParseJson(investigator.Call("GET", "/v1/actions/" + id).body);
  auto envelope = EnvelopeFromJson(stored.at("envelope").as_object(), "");
  REQUIRE(envelope);
  const Action action = *DecodeAction(envelope->payload);
  REQUIRE(action.audience);
  CHECK(action.audience->size == 1);
  const Outcome approved = people.AsBob({"approve", id, "--yes"});
  CHECK(approved.status == 0);
  CHECK(Says(approved, "machines    agent-1"));
  REQUIRE(Eventually(std::chrono::seconds(20), [&] { return people.StatusOf(id) == "completed"; }));
  const json::value commands =
      ParseJson(investigator.Call("GET", "/v1/actions/" + id + "/commands").body);
  REQUIRE(commands.at("commands").as_array().size() == 1);
  const json::value& command = commands.at("commands").at(0);
  CHECK(command.at("name").as_string() == "agent-1");
  INFO(json::Write(command));
  CHECK(command.at("status").as_string() == "success");  // agent-1 found its proof good

  // A new action whose machines nobody says is not taken.
  Action other = action;
  other.id = *ActionId::FromBytes(RandomBytes(ActionId::kBytes));
  const HttpReply reply = investigator.Call(
      "POST", "/v1/actions", EncodeEnvelope(Signed(other, people.deployment.investigator)));
  CHECK(reply.status == 400);
}
