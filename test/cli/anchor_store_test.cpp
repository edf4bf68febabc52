#include "cli/anchor_store.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/cli/agent_voice.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::cli;

namespace {

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");

struct Seen {
  AnchorGatherer gatherer;

  Seen& Add(AgentVoice& agent, std::uint64_t length, char head, int minute = 0,
            std::string padding = "") {
    ResultPart part = agent.Next(kAction, false);
    part.ledger = {length, Bytes(32, head)};
    part.time += std::chrono::minutes(minute);
    if (!padding.empty()) part.elements = {{"x", json::value(padding)}};
    gatherer.Take(agent.id(), agent.Shown().key, agent.Sign(part), part);
    return *this;
  }
};

struct Folder {
  TempFolder folder;
  AnchorStore Store(std::size_t most = AnchorStore::kMostBytes) const {
    return AnchorStore(folder / "anchors.jsonl", most);
  }
  std::vector<LedgerAnchor> Known() const {
    auto known = Store().Recall();
    REQUIRE(known);
    CHECK(known->damaged == 0);
    return std::move(known->anchors);
  }
};

std::size_t Contradictions(const Expected<std::vector<AnchorStore::Contradiction>>& kept) {
  REQUIRE(kept);
  return kept->size();
}

}  // namespace

TEST_CASE("anchors: of each agent the longest ledger is remembered, with what it signed", "[cli]") {
  const Folder disk;
  AgentVoice a("a"), b("b");
  CHECK(disk.Known().empty());
  CHECK(Contradictions(
            disk.Store().Remember(Seen().Add(a, 3, 'x').Add(b, 5, 'y').gatherer, "Ann")) == 0);
  CHECK(Contradictions(disk.Store().Remember(Seen().Add(a, 7, 'z', 1).gatherer, "Ann")) == 0);
  const auto known = disk.Known();
  REQUIRE(known.size() == 2);
  for (const LedgerAnchor& anchor : known) {
    CHECK(anchor.mark.length == (anchor.agent == a.id() ? 7 : 5));
    CHECK(anchor.held_by == "Ann");
    CHECK(anchor.action == kAction);
  }
}

TEST_CASE("anchors: of one ledger the smallest answer is kept", "[cli]") {
  AgentVoice a("a");
  Seen seen;
  seen.Add(a, 3, 'x', 0, std::string(1000, 'p'));
  const std::size_t large = seen.gatherer.gathered().at(a.id()).envelope.payload.size();
  seen.Add(a, 3, 'x').Add(a, 3, 'x', 0, std::string(500, 'p')).Add(a, 2, 'w');
  CHECK(seen.gatherer.gathered().at(a.id()).envelope.payload.size() + 1000 < large + 100);
  CHECK(seen.gatherer.gathered().at(a.id()).mark.length == 3);
}

TEST_CASE("anchors: a later word with a shorter or another ledger contradicts", "[cli]") {
  const Folder disk;
  AgentVoice a("a");
  CHECK(Contradictions(disk.Store().Remember(Seen().Add(a, 9, 'x', 5).gatherer, "Ann")) == 0);
  // An old answer, read again.
  CHECK(Contradictions(disk.Store().Remember(Seen().Add(a, 4, 'w', 2).gatherer, "Ann")) == 0);
  CHECK(Contradictions(disk.Store().Remember(Seen().Add(a, 9, 'x', 6).gatherer, "Ann")) == 0);
  CHECK(Contradictions(disk.Store().Remember(Seen().Add(a, 4, 'w', 6).gatherer, "Ann")) == 1);
  CHECK(Contradictions(disk.Store().Remember(Seen().Add(a, 9, 'v', 1).gatherer, "Ann")) == 1);
  CHECK(disk.Known().at(0).mark.head == Bytes(32, 'x'));  // evidence is not given up
}

TEST_CASE("anchors: a line that a crash cut off costs itself alone", "[cli]") {
  const Folder disk;
  AgentVoice a("a"), b("b");
  REQUIRE(disk.Store().Remember(Seen().Add(a, 3, 'x').gatherer, "Ann"));
  std::ofstream(disk.folder / "anchors.jsonl", std::ios::app)
      << "{\"agent\":\"" << b.id().Text() << "\",\"length\":1";
  REQUIRE(disk.Store().Remember(Seen().Add(b, 5, 'y').gatherer, "Ann"));
  CHECK(disk.Known().size() == 2);
}

TEST_CASE("anchors: a line that somebody altered is not shown as an agent's word", "[cli]") {
  const Folder disk;
  AgentVoice a("a");
  REQUIRE(disk.Store().Remember(Seen().Add(a, 3, 'x').gatherer, "Ann"));
  std::ifstream in(disk.folder / "anchors.jsonl");
  std::string line;
  std::getline(in, line);
  const std::size_t at = line.find("\"payload\":\"") + 30;
  line[at] = line[at] == 'A' ? 'B' : 'A';
  disk.folder.Write("anchors.jsonl", line + "\n");
  const auto known = disk.Store().Recall();
  REQUIRE(known);
  CHECK(known->anchors.empty());
  CHECK(known->damaged == 1);
}

TEST_CASE("anchors: the file stays within its bound, and the oldest go first", "[cli]") {
  const Folder disk;
  constexpr std::size_t kMost = 40'000;
  std::vector<std::unique_ptr<AgentVoice>> agents;
  for (int i = 0; i < 100; ++i) {
    agents.push_back(std::make_unique<AgentVoice>("a"));
    REQUIRE(disk.Store(kMost).Remember(Seen().Add(*agents.back(), 3, 'x').gatherer, "Ann"));
    CHECK(std::filesystem::file_size(disk.folder / "anchors.jsonl") <= kMost);
  }
  const auto known = disk.Known();
  CHECK(known.size() >= 10);
  CHECK(known.size() < 100);
  const auto has = [&](const AgentVoice& agent) {
    return std::any_of(known.begin(), known.end(),
                       [&](const LedgerAnchor& anchor) { return anchor.agent == agent.id(); });
  };
  CHECK(has(*agents.back()));
  CHECK_FALSE(has(*agents.front()));
}

TEST_CASE("anchors: only its owner reads the file", "[cli]") {
  const Folder disk;
  AgentVoice a("a");
  REQUIRE(disk.Store().Remember(Seen().Add(a, 3, 'x').gatherer, "Ann"));
  const auto perms = std::filesystem::status(disk.folder / "anchors.jsonl").permissions();
  CHECK((perms & (std::filesystem::perms::group_all | std::filesystem::perms::others_all)) ==
        std::filesystem::perms::none);
}
