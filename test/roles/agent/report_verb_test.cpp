// What somebody who owns the disk does to a ledger, and what the report says of it. The ledger is a
// real agent's; the harm is done with SQL behind its back.
#include "roles/agent/report_verb.h"

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "crypto/key_file.h"
#include "roles/agent/agent.h"
#include "store/sqlite.h"
#include "test/roles/agent/agent_scene.h"

namespace mig::agent {
namespace {

struct Disk {
  AgentScene scene;
  std::vector<LedgerAnchor> held;  // what an investigator remembers: after each action

  Disk() {
    scene.folder.Write("agent.yaml",
                       "directory: .\nca: ca.pem\nrelays:\n  - {host: 127.0.0.1, port: 1}\norg: " +
                           scene.deployment.org.Text() + "\n");
    KeyFile key{"web1", scene.deployment.now,
                SecretKey::FromSeed(scene.identity.key().Seed()).value()};
    scene.folder.Write("agent.key", WriteKeyFile(key, "").value());
    for (int i = 0; i < 3; ++i) Ask();
  }

  // One action is accepted, and a part that says so reaches the investigator.
  void Ask() {
    const Action action = scene.Look();
    REQUIRE(AgentScene::Said(scene.Give(action)) == "received");
    ResultPart part;
    part.agent = scene.identity.id();
    part.action = action.id;
    part.time = scene.deployment.now;
    part.ledger = scene.db->ledger_mark();
    auto anchor = AnchorIn(Seal(kResultType, EncodeResultPart(part), scene.identity.key()),
                           scene.identity.key().public_key().View(), "Ann");
    REQUIRE(anchor);
    held.push_back(std::move(*anchor));
  }

  void Harm(const std::string& sql) {
    auto database = store::Database::Open(scene.folder / "agent.db");
    REQUIRE(database);
    REQUIRE(database->Execute("DROP TRIGGER IF EXISTS ledger_kept"));
    REQUIRE(database->Execute("DROP TRIGGER IF EXISTS ledger_unchanged"));
    REQUIRE(database->Execute(sql));
  }

  std::string AnchorFile() const {
    return scene.folder.Write("anchors.json", WriteAnchors(held)).string();
  }

  // What `mig agent report` with these words prints and ends with.
  struct Said {
    int status = 0;
    std::string text;
  };
  Said Report(std::vector<std::string> words) const {
    words.insert(words.begin(), {"--config", (scene.folder / "agent.yaml").string()});
    const auto file = scene.folder / "said.txt";
    std::fflush(stdout);
    const int out = dup(1);
    REQUIRE(std::freopen(file.c_str(), "w", stdout) != nullptr);
    Said said;
    said.status = RunReport(words);
    std::fflush(stdout);
    dup2(out, 1);
    close(out);
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    said.text = text.str();
    return said;
  }
  Said Verify() const { return Report({"--verify", "--anchor", AnchorFile()}); }
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("report: anchors prove what lies before them, and nothing after", "[agent]") {
  Disk disk;
  disk.held.pop_back();
  const auto said = disk.Verify();
  INFO(said.text);
  CHECK(said.status == 0);
  const std::string last = std::to_string(disk.held.back().mark.length);
  CHECK(Contains(said.text, "2 anchors with a good signature of this machine's own key"));
  CHECK(Contains(said.text, "Entries 1 to " + last + " are proven by the answer to action " +
                                disk.held.back().action->Text() +
                                ", which Ann holds, and unchanged since."));
  CHECK(Contains(said.text, "consistent, but nobody outside vouches for"));
  CHECK(Contains(disk.Report({"--verify"}).text, "Nobody outside vouches for it"));
}

TEST_CASE("report: an entry altered, deleted or swapped behind the agent's back shows", "[agent]") {
  Disk disk;
  std::string finding;
  SECTION("altered") {
    disk.Harm(
        "UPDATE ledger SET text = CAST(replace(text, 'ann', 'bob') AS BLOB) WHERE number = 2");
    finding = "entry 2 was changed after it was written";
  }
  SECTION("deleted") {
    disk.Harm("DELETE FROM ledger WHERE number = 2");
    finding = "entry 2 is missing";
  }
  SECTION("swapped") {
    disk.Harm("UPDATE ledger SET number = 100 WHERE number = 2");
    disk.Harm("UPDATE ledger SET number = 2 WHERE number = 3");
    disk.Harm("UPDATE ledger SET number = 3 WHERE number = 100");
    finding = "entry 2 was moved: it was written as entry 3";
  }
  for (const auto& words : {std::vector<std::string>{}, {"--verify"}}) {
    const auto said = disk.Report(words);
    INFO(said.text);
    CHECK(said.status == 1);
    CHECK(Contains(said.text, "THE LEDGER WAS CHANGED: " + finding));
  }
}

TEST_CASE("report: a cut tail shows by what an investigator holds", "[agent]") {
  Disk disk;
  disk.Harm("DELETE FROM ledger WHERE number > 2");
  CHECK(disk.Report({"--verify"}).status == 0);  // the chain alone cannot tell
  const auto said = disk.Verify();
  INFO(said.text);
  CHECK(said.status == 1);
  CHECK(Contains(said.text, "THE LEDGER WAS CHANGED: the end was cut off"));
  CHECK(Contains(said.text, disk.held.back().action->Text() + ", which Ann holds, vouches for"));
}

TEST_CASE("report: a ledger written anew from the first entry shows by what an investigator holds",
          "[agent]") {
  Disk disk;
  const auto entries = disk.scene.Ledger();
  disk.Harm("DELETE FROM ledger");
  Bytes head = LedgerGenesis();
  for (const LedgerEntry& entry : entries) {
    json::object facts = entry.facts;
    facts["people"] = json::array{"bob"};
    const LedgerEntry forged = NextEntry(entry.number - 1, head, entry.time, entry.event, facts);
    head = forged.hash;
    disk.Harm("INSERT INTO ledger VALUES (" + std::to_string(forged.number) + ", x'" +
              EncodeHex(LedgerText(forged)) + "', x'" + EncodeHex(forged.hash) + "')");
  }
  CHECK(disk.Report({"--verify"}).status == 0);
  const auto said = disk.Verify();
  INFO(said.text);
  CHECK(said.status == 1);
  CHECK(Contains(said.text, "is not the one that the answer to action"));
}

TEST_CASE("report: an older state of the disk put back shows, also after it went on", "[agent]") {
  Disk disk;
  disk.scene.Restart();  // all of it in one file
  const auto file = disk.scene.folder / "agent.db";
  const auto snapshot = disk.scene.folder / "snapshot";
  disk.scene.desk.reset(), disk.scene.db.reset();
  std::filesystem::copy_file(file, snapshot);
  disk.scene.Restart();
  disk.Ask();
  disk.Ask();
  disk.scene.desk.reset(), disk.scene.db.reset();
  std::filesystem::copy_file(snapshot, file, std::filesystem::copy_options::overwrite_existing);
  disk.scene.Restart();

  auto said = disk.Verify();
  INFO(said.text);
  CHECK(said.status == 1);
  CHECK(Contains(said.text, "the end was cut off"));
  const auto held = disk.held;
  for (int i = 0; i < 3; ++i) disk.Ask();
  disk.held = held;
  said = disk.Verify();
  CHECK(said.status == 1);
  CHECK(Contains(said.text, "is not the one that the answer to action"));
}

TEST_CASE("report: an answer that lies in the outbox shows a ledger that was cut", "[agent]") {
  Disk disk;
  store::NewPart part;
  part.action = *disk.held.back().action;
  part.digest = Bytes(32, 'd');
  part.envelope = EncodeEnvelope(disk.held.back().envelope);
  REQUIRE(disk.scene.db->AddPart(part));
  CHECK(disk.Report({"--verify"}).status == 0);
  CHECK(Contains(disk.Report({"--verify"}).text, "Nobody outside vouches for it"));
  disk.Harm("DELETE FROM ledger WHERE number > 2");
  const auto said = disk.Report({"--verify"});
  CHECK(said.status == 1);
  CHECK(Contains(said.text, "which lies in this machine's outbox, vouches for"));
}

TEST_CASE("report: a mark that was read out is held against the ledger, too", "[agent]") {
  Disk disk;
  const std::string mark = FormatMark(disk.held.back().mark);
  CHECK(disk.Report({"--verify", "--anchor", mark}).status == 0);
  const std::string other = mark.substr(0, mark.size() - 4) + "0123";
  CHECK(disk.Report({"--verify", "--anchor", other}).status == 1);
}

TEST_CASE("report: anchors of other machines, and forged ones, are not taken", "[agent]") {
  Disk disk, other;
  auto said = disk.Report({"--verify", "--anchor", other.AnchorFile()});
  CHECK(said.status == 2);
  json::object forged = AnchorToJson(disk.held.back());
  forged["envelope"].as_object()["signatures"] =
      AnchorToJson(disk.held.front()).at("envelope").as_object().at("signatures");
  const auto file = disk.scene.folder.Write(
      "forged.json", json::Write(json::object{{"anchors", json::array{forged}}}));
  CHECK(disk.Report({"--verify", "--anchor", file.string()}).status == 2);
  CHECK(disk.Report({"--verify", "--anchor", "no-such-file"}).status == 2);
}

TEST_CASE("report: an anchor of a key that was given up counts for the time before", "[agent]") {
  const Disk disk;
  const AgentId old = disk.scene.identity.id();
  const AgentId today = *AgentId::FromBytes(Bytes(32, 't'));
  const std::uint64_t length = disk.held.back().mark.length;
  UsefulAnchors useful = SelectAnchors(disk.held, {{today, 0}, {old, length}});
  CHECK(useful.marks.size() == disk.held.size() - 1);
  CHECK(useful.of_copies == 1);
  useful = SelectAnchors(disk.held, {{today, 0}});
  CHECK(useful.marks.empty());
  CHECK(useful.foreign == disk.held.size());
}

TEST_CASE("report: --since and --until choose what is shown, not what is checked", "[agent]") {
  Disk disk;
  auto said = disk.Report({"--since", "2026-11-24"});
  CHECK(said.status == 0);
  CHECK_FALSE(Contains(said.text, "Accepted"));
  CHECK(Contains(said.text, "each follows the one before"));
  CHECK(Contains(disk.Report({"--until", "2026-11-24", "--since", "2026-11-23"}).text, "Accepted"));
  disk.Harm("DELETE FROM ledger WHERE number = 2");
  CHECK(disk.Report({"--since", "2026-11-24"}).status == 1);
  CHECK(disk.Report({"--since", "yesterday"}).status == 2);
}

TEST_CASE("report: --json --verify is one object with findings and what is proven", "[agent]") {
  Disk disk;
  auto said = disk.Report({"--json", "--verify", "--anchor", disk.AnchorFile()});
  auto verdict = json::ParseObject(said.text);
  REQUIRE(verdict);
  CHECK(verdict->at("verified").as_bool());
  CHECK(verdict->at("proven").at("length").to_number<std::uint64_t>() ==
        disk.held.back().mark.length);
  CHECK_FALSE(verdict->contains("entries"));
  disk.Harm("DELETE FROM ledger WHERE number = 2");
  said = disk.Report({"--json"});
  verdict = json::ParseObject(said.text);
  REQUIRE(verdict);
  CHECK_FALSE(verdict->at("verified").as_bool());
  CHECK(verdict->at("findings").as_array().size() == 1);
  CHECK(verdict->at("entries").as_array().size() > 1);
}

TEST_CASE("report: a moment is a time, a day, or a distance back", "[agent]") {
  const UtcTime now = TimeAt("2026-11-23T12:00:00Z");
  CHECK(ParseMoment("2d", now).value() == TimeAt("2026-11-21T12:00:00Z"));
  CHECK(ParseMoment("2026-11-20", now).value() == TimeAt("2026-11-20T00:00:00Z"));
  CHECK(ParseMoment("2026-11-20T08:00:00Z", now).value() == TimeAt("2026-11-20T08:00:00Z"));
  CHECK_FALSE(ParseMoment("soon", now));
}

}  // namespace
}  // namespace mig::agent
