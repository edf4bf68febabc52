#include "roles/scheduler/dispatcher.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "crypto/merkle.h"
#include "test/roles/scheduler/fixture.h"

namespace mig::scheduler {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("dispatcher: an action goes to the agents that its target names", "[scheduler]") {
  Bench bench;
  FakeAgent web = bench.Enrol();
  bench.Enrol();
  const ActionId action = bench.Add(bench.MakeAction(1, "id = '" + web.id.Text() + "'"));
  bench.dispatcher->Wake();
  bench.Settle();
  const auto sent = bench.relays.Sent("/cmd");
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].topic == topics::Command(web.id));
  CHECK(sent[0].expiry == minutes(5));
  auto command = DecodeCommand(*sent[0].payload);
  REQUIRE(command);
  CHECK(command->action.at("number").as_int64() == 1);
  CHECK(bench.Action(action).status == ActionStatus::kInflight);
  CHECK(bench.Command(action, web.id).status == CommandStatus::kSent);
}

TEST_CASE("dispatcher: of an audience each agent gets the proof that it is in it, others nothing",
          "[scheduler]") {
  Bench bench;
  std::vector<FakeAgent> agents;
  std::vector<Bytes> ids;
  for (int i = 0; i < 7; ++i) {
    agents.push_back(bench.Enrol());
    if (i < 5) ids.emplace_back(agents.back().id.View());
  }
  ids.emplace_back(Bytes(32, '\xff'));  // signed for, and not enrolled (any more)
  std::sort(ids.begin(), ids.end());
  store::NewAction acting = bench.MakeAction(1);
  acting.kind = Kind::kRespond;
  for (const Bytes& id : ids) acting.audience += id;
  const ActionId action = bench.Add(acting);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.Count(action).targeted == 5);
  const auto sent = bench.relays.Sent("/cmd");
  REQUIRE(sent.size() == 5);
  const MerkleTree tree(ids);
  for (int i = 0; i < 5; ++i) {
    const AgentId& agent = agents[static_cast<std::size_t>(i)].id;
    const auto message = std::find_if(sent.begin(), sent.end(), [&](const Outgoing& out) {
      return out.topic == topics::Command(agent);
    });
    REQUIRE(message != sent.end());
    const auto command = DecodeCommand(*message->payload);
    REQUIRE(command);
    CHECK(command->action.at("number").as_int64() == 1);
    REQUIRE(command->proof);
    CHECK(VerifyInclusion(agent.View(), command->proof->index, ids.size(), command->proof->path,
                          tree.root()));
  }
}

TEST_CASE("dispatcher: an action for nobody is completed at once", "[scheduler]") {
  Bench bench;
  const ActionId action = bench.Fly(1);
  CHECK(bench.Action(action).status == ActionStatus::kCompleted);
  CHECK(bench.Count(action).targeted == 0);
}

TEST_CASE("dispatcher: an action waits for its validfrom and for its signatures", "[scheduler]") {
  Bench bench;
  bench.Enrol();
  store::NewAction later = bench.MakeAction(1);
  later.validfrom = bench.now + minutes(2);
  bench.Add(later);
  store::NewAction pending = bench.MakeAction(2);
  pending.weight_reached = false;
  bench.Add(pending);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").empty());
  bench.now += minutes(2);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 1);
  CHECK(bench.Action(later.id).status == ActionStatus::kInflight);
  CHECK(bench.Action(pending.id).status == ActionStatus::kPending);
}

TEST_CASE("dispatcher: what is not acknowledged by the relay is sent again", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  bench.relays.acknowledge = false;
  const ActionId action = bench.Fly(1);
  REQUIRE(bench.relays.Sent("/cmd").size() == 1);
  for (std::size_t i = 0; i < bench.relays.sent.size(); ++i) {
    bench.relays.Answer(i, Error(Errc::kUnavailable, "lost"));
  }
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 2);
  CHECK(bench.Command(action, agent.id).attempts == 1);  // the one that failed does not count
}

TEST_CASE("dispatcher: while no relay is connected commands wait, and go when one is back",
          "[scheduler]") {
  Bench bench;
  bench.Enrol();
  bench.relays.states[0].connected = false;
  const ActionId action = bench.Fly(1);
  CHECK(bench.relays.Sent("/cmd").empty());
  CHECK(bench.Count(action).prepared == 1);
  bench.relays.states[0].connected = true;
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 1);
}

TEST_CASE("dispatcher: silence of a connected agent is followed by sending again", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  bench.ComeOn(agent);
  const ActionId action = bench.Fly(1);
  bench.now += seconds(29);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 1);
  bench.now += seconds(2);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 2);
  bench.Say(topics::Result(agent.id), agent.Receive(action, "received"));
  bench.now += minutes(3);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 2);
}

TEST_CASE("dispatcher: a busy agent is asked again after a while", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  bench.ComeOn(agent);
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(agent.id), agent.Receive(action, "busy"));
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kPrepared);
  bench.now += seconds(16);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 2);
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kSent);
}

TEST_CASE("dispatcher: after a restart everything open is sent again, once", "[scheduler]") {
  Bench bench;
  FakeAgent open = bench.Enrol(), done = bench.Enrol();
  bench.ComeOn(open);
  bench.ComeOn(done);
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(done.id), done.Part(action, 0, true));
  bench.relays.sent.clear();
  bench.Restart();
  bench.dispatcher->Start();
  bench.Settle();
  const auto sent = bench.relays.Sent("/cmd");
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].topic == topics::Command(open.id));
}

TEST_CASE("dispatcher: an expansion that was cut off goes on after a restart", "[scheduler]") {
  Bench bench;
  std::vector<FakeAgent> agents;
  for (int i = 0; i < 5; ++i) agents.push_back(bench.Enrol());
  const ActionId action = bench.Add(bench.MakeAction(1));
  // As the store is when the scheduler was killed after the first of two pages.
  REQUIRE(bench.db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    auto preparing = tx.SetActionStatus(action, ActionStatus::kPreparing, "", bench.now);
    if (!preparing) return preparing.error();
    auto page = tx.PrepareCommands(action, {"1", {}}, 0, 3, bench.now);
    if (!page) return page.error();
    return {};
  }));
  CHECK(bench.Count(action).targeted == 3);
  bench.Restart();
  bench.dispatcher->Start();
  bench.Settle();
  CHECK(bench.Action(action).status == ActionStatus::kInflight);
  CHECK(bench.Count(action).sent == 5);
  CHECK(bench.relays.Sent("/cmd").size() == 5);
}

TEST_CASE("dispatcher: a stop goes to those who were asked and ends the action", "[scheduler]") {
  Bench bench;
  FakeAgent running = bench.Enrol(), waiting = bench.Enrol();
  bench.ComeOn(running);
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(running.id), running.Receive(action, "started"));
  store::NewAction stop = bench.MakeAction(2);
  stop.kind = Kind::kStop;
  stop.stops = action;
  bench.relays.sent.clear();
  bench.Add(stop);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.relays.Sent("/cmd").size() == 2);

  bench.Say(topics::Result(waiting.id), waiting.Receive(stop.id, "received"));
  CHECK(bench.Command(action, waiting.id).status == CommandStatus::kStopped);
  bench.Say(topics::Result(running.id), running.Receive(stop.id, "received"));
  CHECK(bench.Action(stop.id).status == ActionStatus::kCompleted);
  CHECK(bench.Action(action).status == ActionStatus::kInflight);
  ResultPart last = running.MakePart(action, 0, true);
  last.status = CommandStatus::kStopped;
  bench.Say(topics::Result(running.id), running.Say(kResultType, EncodeResultPart(last)));
  CHECK(bench.Action(action).status == ActionStatus::kStopped);
}

TEST_CASE("dispatcher: a stopped action is not sent again", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  store::NewAction stop = bench.MakeAction(2);
  stop.kind = Kind::kStop;
  stop.stops = action;
  bench.Add(stop);
  bench.dispatcher->Wake();
  bench.Settle();
  bench.relays.sent.clear();
  bench.now += seconds(10);
  bench.ComeOn(agent);
  const auto sent = bench.relays.Sent("/cmd");
  REQUIRE(sent.size() == 1);
  CHECK(DecodeCommand(*sent[0].payload)->action.at("number").as_int64() == 2);
}

TEST_CASE("dispatcher: a target that cannot be read makes the action invalid, others go on",
          "[scheduler]") {
  Bench bench;
  bench.Enrol();
  const ActionId broken = bench.Add(bench.MakeAction(1, "name LIKE"));
  const ActionId good = bench.Fly(2);
  CHECK(bench.Action(broken).status == ActionStatus::kInvalid);
  CHECK_FALSE(bench.Action(broken).detail.empty());
  CHECK(bench.Action(good).status == ActionStatus::kInflight);
}

TEST_CASE("dispatcher: thousands of agents are sent to page by page, each once", "[scheduler]") {
  Bench bench;
  constexpr int kAgents = 3000;  // three pages of commands, fifteen of sending
  REQUIRE(bench.db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
    for (int i = 0; i < kAgents; ++i) {
      Bytes key(32, '\0');
      key[0] = static_cast<char>(i);
      key[1] = static_cast<char>(i >> 8);
      auto done = tx.EnrolAgent({*AgentId::FromBytes(Sha256(key)), key, "agent"}, bench.now);
      if (!done) return done;
    }
    return {};
  }));
  const ActionId action = bench.Add(bench.MakeAction(1));
  bench.dispatcher->Wake();
  REQUIRE(bench.Until([&] { return bench.relays.Sent("/cmd").size() >= kAgents; }));
  bench.Settle();
  std::set<std::string> topics;
  for (const Outgoing& message : bench.relays.Sent("/cmd")) topics.insert(message.topic);
  CHECK(topics.size() == kAgents);
  CHECK(bench.relays.Sent("/cmd").size() == kAgents);
  CHECK(bench.Count(action).sent == kAgents);
}

TEST_CASE("dispatcher: no more is under way than the relay has room for", "[scheduler]") {
  Bench bench;
  for (int i = 0; i < 250; ++i) bench.Enrol();
  bench.relays.room = 120;
  bench.relays.acknowledge = false;
  const ActionId action = bench.Fly(1);
  CHECK(bench.relays.Sent("/cmd").size() <= 120);
  CHECK(bench.Count(action).prepared >= 130);
  // Room again: the next ones follow, without anybody waking the dispatcher.
  for (std::size_t answered = 0; answered < bench.relays.sent.size(); ++answered) {
    bench.relays.Answer(answered, {});
    if (bench.relays.under_way == 0) bench.Settle();
  }
  CHECK(bench.relays.Sent("/cmd").size() == 250);
  CHECK(bench.Count(action).sent == 250);
}

}  // namespace
}  // namespace mig::scheduler
