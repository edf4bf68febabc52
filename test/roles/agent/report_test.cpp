#include "roles/agent/report.h"

#include <catch2/catch.hpp>

#include "roles/agent/ledger_notes.h"
#include "test/trust/scene.h"

namespace mig::agent {
namespace {

std::string Say(const LedgerNote& note) {
  return DescribeEntry(NextEntry(0, LedgerGenesis(), note.time, note.event, note.facts));
}

TEST_CASE("report: every event of the agent is said in plain words", "[agent]") {
  Scene scene;
  const UtcTime now = scene.now;
  scene.action.name = "find passwd";
  scene.action.reason = "case 12";
  const Decision accepted = scene.Check();
  const std::string id = scene.action.id.Text();
  CHECK(Say(AcceptedNote(now, *accepted.accepted)) ==
        "Accepted \"find passwd\", signed by ann: investigate with example, target `name = "
        "'web1'`, until 2026-11-23T12:05:00Z. Reason given: \"case 12\". Action " +
            id + ".");
  CHECK(Say(StartedNote(now, scene.action.id, 1)) == "Began to run action " + id + ".");
  CHECK(Say(StartedNote(now, scene.action.id, 2)) ==
        "Began to run action " + id + ", again after the agent was interrupted.");
  AnswerFacts facts;
  facts.action = scene.action.id;
  facts.parts = 1;
  facts.elements = 12;
  facts.bytes = 340;
  CHECK(Say(AnsweredNote(now, facts)) ==
        "Answered action " + id + ": success, 12 elements of 340 bytes in 1 part.");
  CHECK(Say(PolicyNote(now, scene.deployment.Trusted())) ==
        "Took policy version 3, signed by root version 1.");
  CHECK(Say(StartupNote(now, "1.2", "boot")) == "The agent started (mig 1.2).");

  scene.memory.stopped.insert(scene.action.id);
  CHECK(Say(RefusedNote(now, scene.Check(), 0)) ==
        "Refused \"find passwd\": stopped (a stop came before the action). Action " + id + ".");
  scene.action = scene.deployment.StopFor(scene.action.id);
  CHECK(Say(AcceptedNote(now, *scene.Check().accepted)) ==
        "Was told to stop action " + id + ", signed by ann.");
}

TEST_CASE("report: what nobody known has signed is said so, and cannot draw on the terminal",
          "[agent]") {
  Scene scene;
  scene.signers = {&scene.deployment.eve};
  scene.action.name = "\x1b[2J harmless";
  const std::string said = Say(RefusedNote(scene.now, scene.Check(), 7));
  CHECK(said.find('\x1b') == std::string::npos);
  CHECK(said.find("which nobody known has signed: unknown_signer") != std::string::npos);
  CHECK(said.find("Before it 7 refusals like others already noted.") != std::string::npos);
  CHECK(Say(UnreadableNote(scene.now, "no JSON", 0)) ==
        "Refused a message that cannot be read: malformed (no JSON).");
}

TEST_CASE("report: an event of a newer agent is shown as its facts", "[agent]") {
  CHECK(Say({UtcTime(), "sealed", {{"x", 1}}}) == "sealed {\"x\":1}");
}

TEST_CASE("report: an entry as JSON has number, time, event and facts", "[agent]") {
  const LedgerEntry entry =
      NextEntry(4, LedgerGenesis(), TimeAt("2026-11-23T12:00:00Z"), "started", {{"action", "a"}});
  const json::object fields = EntryToJson(entry);
  CHECK(fields.at("number").to_number<int>() == 5);
  CHECK(fields.at("time").as_string() == "2026-11-23T12:00:00Z");
  CHECK(fields.at("event").as_string() == "started");
  CHECK(fields.at("facts").as_object().at("action").as_string() == "a");
}

}  // namespace
}  // namespace mig::agent
