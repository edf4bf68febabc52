#include <algorithm>
#include <catch2/catch.hpp>

#include "test/store/server_fixture.h"

namespace mig::store {
namespace {

using std::chrono::hours;

NewProposal MakeProposal(std::string subject = "twin:1") {
  NewProposal proposal;
  proposal.subject = std::move(subject);
  proposal.proposer = "scheduler";
  proposal.name = "end the second agent on web1";
  proposal.target = "name = 'web1'";
  proposal.operations = R"([{"module":"agentdestroy","parameters":{"pid":42}}])";
  proposal.reason = "two agents answer for web1";
  proposal.expires = kNow + hours(24);
  return proposal;
}

std::vector<ProposalRow> Open(ServerFixture& server, UtcTime now = kNow) {
  return server.Read([&](ServerReader& r) { return r.ListProposals(0, 10, now); });
}
Proposed Propose(ServerFixture& server, const NewProposal& proposal, UtcTime now = kNow) {
  return server.Write([&](ServerTx& tx) { return tx.Propose(proposal, now); });
}

TEST_CASE("proposals: one subject is proposed once until a person decides", "[store]") {
  ServerFixture server;
  CHECK(Propose(server, MakeProposal()) == Proposed::kNew);
  CHECK(Propose(server, MakeProposal()) == Proposed::kKnown);
  CHECK(Propose(server, MakeProposal("twin:2")) == Proposed::kNew);
  const auto open = Open(server);
  REQUIRE(open.size() == 2);
  CHECK(open[0].name == "end the second agent on web1");
  CHECK(open[0].kind == Kind::kAdmin);
  CHECK(open[0].status == ProposalStatus::kOpen);
  CHECK(open[0].id != open[1].id);
}

TEST_CASE("proposals: rejected for good, and not made again before it would have expired",
          "[store]") {
  ServerFixture server;
  Propose(server, MakeProposal());
  const ActionId id = Open(server).at(0).id;
  const auto reject = [&] {
    return server.Write([&](ServerTx& tx) { return tx.RejectProposal(id, "bob", "no", kNow); });
  };
  CHECK(reject());
  CHECK_FALSE(reject());
  CHECK(Open(server).empty());
  CHECK(Propose(server, MakeProposal()) == Proposed::kKnown);
  const UtcTime later = kNow + hours(25);
  CHECK(Propose(server, MakeProposal(), later) == Proposed::kNew);

  // Nor does it become an action.
  Propose(server, MakeProposal("twin:2"));
  const ActionId other = Open(server).back().id;
  server.Write([&](ServerTx& tx) { return tx.RejectProposal(other, "bob", "no", kNow); });
  NewAction action = ServerFixture::MakeAction(1);
  action.id = other;
  const auto added = server.db->WriteNow([&](ServerTx& tx) -> Expected<void> {
    auto done = tx.AddAction(action, "ann", kNow);
    if (!done) return done.error();
    return {};
  });
  REQUIRE_FALSE(added);
  CHECK(added.error().code() == Errc::kExists);
  CHECK(added.error().message().find("rejected by bob: no") != std::string::npos);
}

TEST_CASE("proposals: an action with its id is what became of it", "[store]") {
  ServerFixture server;
  Propose(server, MakeProposal());
  const ActionId id = Open(server).at(0).id;
  NewAction action = ServerFixture::MakeAction(1);
  action.id = id;
  server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); });
  CHECK(Open(server).empty());
  const auto row = server.Read([&](ServerReader& r) { return r.FindProposal(id); });
  REQUIRE(row);
  CHECK(row->status == ProposalStatus::kApproved);
  CHECK(row->person == "ann");
  CHECK_FALSE(
      server.Write([&](ServerTx& tx) { return tx.RejectProposal(id, "bob", "late", kNow); }));
  // It happened again: that is another matter.
  CHECK(Propose(server, MakeProposal()) == Proposed::kNew);
}

TEST_CASE("proposals: no more are open than the bound, and expired ones do not count", "[store]") {
  ServerFixture server;
  server.Write([&](ServerTx& tx) -> Expected<void> {
    for (std::size_t i = 0; i < ServerTx::kMostProposals; ++i) {
      auto made = tx.Propose(MakeProposal("twin:" + std::to_string(i)), kNow);
      if (!made) return made.error();
      CHECK(*made == Proposed::kNew);
    }
    return {};
  });
  CHECK(Propose(server, MakeProposal("one more")) == Proposed::kFull);
  NewProposal later = MakeProposal("one more");
  later.expires = kNow + hours(48);
  CHECK(Propose(server, later, kNow + hours(25)) == Proposed::kNew);
  CHECK(Open(server, kNow + hours(25)).size() == 1);
}

TEST_CASE("server actions: a rejected one is refused for good", "[store]") {
  ServerFixture server;
  NewAction action = ServerFixture::MakeAction(1);
  action.weight_reached = false;
  server.Write([&](ServerTx& tx) { return tx.AddAction(action, "ann", kNow); });
  const auto pending = [&] {
    return server.Read([](ServerReader& r) { return r.ListPendingActions(0, 10); });
  };
  CHECK(pending().size() == 1);
  const auto reject = [&] {
    return server.Write(
        [&](ServerTx& tx) { return tx.RejectAction(action.id, "bob", "too wide", kNow); });
  };
  CHECK(reject());
  CHECK_FALSE(reject());
  CHECK(pending().empty());
  CHECK(server.Action(action.id).status == ActionStatus::kRefused);
  CHECK(server.Action(action.id).detail == "rejected by bob: too wide");
  const auto rejection = server.Read([&](ServerReader& r) { return r.FindRejection(action.id); });
  REQUIRE(rejection);
  CHECK(rejection->person == "bob");
  CHECK(rejection->reason == "too wide");
  CHECK_FALSE(server.Write(
      [&](ServerTx& tx) { return tx.AddSignatures(action.id, "{}", {}, true, "eve", kNow); }));
  CHECK(server.Action(action.id).status == ActionStatus::kRefused);
}

TEST_CASE("server actions: one with an audience goes to nobody else", "[store]") {
  ServerFixture server;
  for (int i = 1; i <= 5; ++i) server.Enrol(i);
  std::vector<AgentId> audience = {AgentNumber(2), AgentNumber(4), AgentNumber(9)};
  std::sort(audience.begin(), audience.end());
  NewAction action = ServerFixture::MakeAction(1);
  for (const AgentId& agent : audience) action.audience += agent.View();
  server.Write([&](ServerTx& tx) -> Expected<void> {
    if (auto added = tx.AddAction(action, "ann", kNow); !added) return added.error();
    return ServerFixture::Expand(tx, action.id);
  });
  const auto commands =
      server.Read([&](ServerReader& r) { return r.ListCommands(action.id, AgentId(), 10); });
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].agent == AgentNumber(2));
  CHECK(commands[1].agent == AgentNumber(4));
  CHECK(*server.Read([&](ServerReader& r) { return r.FindAudience(action.id); }) ==
        action.audience);
}

}  // namespace
}  // namespace mig::store
