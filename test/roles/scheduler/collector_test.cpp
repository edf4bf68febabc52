#include "roles/scheduler/collector.h"

#include <catch2/catch.hpp>

#include "test/roles/scheduler/fixture.h"

namespace mig::scheduler {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("collector: a part is acknowledged once it is stored, and again when it comes again",
          "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(agent.id), agent.Part(action, 0, true));
  CHECK(bench.Parts(action) == 1);
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kSuccess);
  CHECK(bench.Action(action).status == ActionStatus::kCompleted);
  REQUIRE(bench.Acknowledged().size() == 1);
  CHECK(bench.Acknowledged()[0].action == action);
  CHECK(bench.Acknowledged()[0].parts == std::vector<std::uint64_t>{0});

  bench.Say(topics::Result(agent.id), agent.Part(action, 0, true));
  CHECK(bench.Parts(action) == 1);
  CHECK(bench.Acknowledged().size() == 2);
}

TEST_CASE("collector: with a gap the command waits for the missing part", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(agent.id), agent.Part(action, 0, false));
  bench.Say(topics::Result(agent.id), agent.Part(action, 2, true));
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kRunning);
  CHECK(bench.Action(action).status == ActionStatus::kInflight);
  bench.Say(topics::Result(agent.id), agent.Part(action, 1, false));
  CHECK(bench.Action(action).status == ActionStatus::kCompleted);
}

TEST_CASE("collector: forged results change nothing and are not acknowledged", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  FakeAgent other = bench.Enrol();
  const ActionId action = bench.Fly(1);
  const FakeAgent stranger;

  // Another agent's key on this agent's topic, an unknown agent, an action nobody was asked.
  bench.Say(topics::Result(agent.id), other.Part(action, 0, true));
  CHECK(bench.collector->tally().total(Flaw::kSignature) == 1);
  bench.Say(topics::Result(stranger.id), stranger.Part(action, 0, true));
  CHECK(bench.collector->tally().total(Flaw::kUnknownAgent) == 1);
  const ActionId unknown = *ActionId::FromBytes(Bytes(16, 'z'));
  bench.Say(topics::Result(agent.id), agent.Part(unknown, 0, true));
  CHECK(bench.collector->tally().total(Flaw::kNotAsked) == 1);
  bench.Say(topics::Result(agent.id), agent.Receive(unknown, "received"));
  CHECK(bench.collector->tally().total(Flaw::kNotAsked) == 2);

  CHECK(bench.Parts(action) == 0);
  CHECK(bench.Acknowledged().empty());
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kSent);
}

TEST_CASE("collector: another part in the place of one that is stored is a conflict",
          "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(agent.id), agent.Part(action, 0, false));
  agent.clock += seconds(1);
  bench.Say(topics::Result(agent.id), agent.Part(action, 0, false));
  CHECK(bench.collector->tally().total(Flaw::kConflict) == 1);
  CHECK(bench.Acknowledged().size() == 1);
}

TEST_CASE("collector: an agent that was not asked cannot answer", "[scheduler]") {
  Bench bench;
  FakeAgent asked = bench.Enrol();
  const ActionId action = bench.Fly(1);
  FakeAgent later = bench.Enrol();  // enrolled after the action was expanded
  bench.Say(topics::Result(later.id), later.Part(action, 0, true));
  CHECK(bench.collector->tally().total(Flaw::kNotAsked) == 1);
  CHECK(bench.Count(action).targeted == 1);
}

TEST_CASE("collector: the last refusal completes the action", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(agent.id), agent.Receive(action, "refused", "unknown_signer"));
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kRefused);
  CHECK(bench.Command(action, agent.id).code == "unknown_signer");
  CHECK(bench.Action(action).status == ActionStatus::kCompleted);
}

TEST_CASE("collector: receipts move the command and are told to the streams", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  const std::size_t told = bench.relays.Sent("event/action").size();
  CHECK(told >= 1);
  bench.Say(topics::Result(agent.id), agent.Receive(action, "received"));
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kReceived);
  REQUIRE(bench.Until([&] { return bench.relays.Sent("event/action").size() > told; }));
  CHECK(*bench.relays.Sent("event/action").back().payload == action.Text());
}

TEST_CASE("collector: an agent that comes on gets the policy and what is open", "[scheduler]") {
  Bench bench(2);
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  CHECK(bench.relays.Sent("/cmd").size() == 1);
  bench.now += seconds(5);
  bench.ComeOn(agent, 1);
  CHECK(bench.relays.Sent("/cmd").size() == 2);
  CHECK(bench.relays.sent.back().first == 1);  // where it came on
  const auto control = bench.relays.Sent("/ctl");
  REQUIRE(control.size() == 1);
  CHECK(*control[0].payload == "policy 7");
  CHECK(bench.Command(action, agent.id).attempts == 2);
}

TEST_CASE("collector: a heartbeat with an older policy is answered with the present one",
          "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  bench.Say(topics::Heartbeat(agent.id), agent.Heartbeat(7));  // comes on
  const std::size_t sent = bench.relays.Sent("/ctl").size();
  bench.now += minutes(5);
  agent.clock = bench.now;
  bench.Say(topics::Heartbeat(agent.id), agent.Heartbeat(7));
  CHECK(bench.relays.Sent("/ctl").size() == sent);
  bench.now += minutes(5);
  agent.clock = bench.now;
  bench.Say(topics::Heartbeat(agent.id), agent.Heartbeat(6));
  CHECK(bench.relays.Sent("/ctl").size() == sent + 1);
}

TEST_CASE("collector: a presence that is played again sends nothing", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  bench.ComeOn(agent);
  const Bytes old = agent.Presence(true);
  bench.now += minutes(30);
  bench.ComeOn(agent);
  const std::size_t sent = bench.relays.sent.size();
  bench.Say(topics::Presence(agent.id), old);
  CHECK(bench.relays.sent.size() == sent);
}

TEST_CASE("collector: two processes with one identity are recorded", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  for (int i = 0; i < 6; ++i) {
    bench.now += seconds(30);
    agent.clock = bench.now;
    bench.Say(topics::Presence(agent.id), agent.Presence(true, i % 2 == 0 ? "a" : "b"));
  }
  auto row =
      bench.db->Read([&](store::ServerReader& reader) { return reader.FindAgent(agent.id); });
  CHECK((*row)->cloned);
  auto audit = bench.db->Read([](store::ServerReader& reader) { return reader.ListAudit(0, 10); });
  REQUIRE(audit->size() == 1);
  CHECK(audit->at(0).event == "agent.cloned");
}

TEST_CASE("collector: results after expiry are stored, marked late, and acknowledged",
          "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  bench.now += minutes(6);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kExpired);
  bench.Say(topics::Result(agent.id), agent.Part(action, 0, true));
  CHECK(bench.Command(action, agent.id).status == CommandStatus::kExpired);
  CHECK(bench.Command(action, agent.id).late);
  CHECK(bench.Acknowledged().size() == 1);
}

TEST_CASE("collector: when the store is behind, messages are dropped and counted", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  Collector::Options options;
  options.max_waiting = 3;
  options.now = [&] { return bench.now; };
  Collector collector(*bench.store, bench.relays, *bench.announcer, *bench.dispatcher, options);
  for (std::uint64_t seq = 0; seq < 10; ++seq) {
    collector.Receive(0, topics::Result(agent.id), agent.Part(action, seq, false));
  }
  CHECK(collector.tally().total(Flaw::kOverload) == 7);
  bench.Settle();
  CHECK(bench.Parts(action) == 3);
  // The agent sends again what was not acknowledged.
  for (std::uint64_t seq = 3; seq < 6; ++seq) {
    collector.Receive(0, topics::Result(agent.id), agent.Part(action, seq, false));
  }
  bench.Settle();
  CHECK(bench.Parts(action) == 6);
}

TEST_CASE("collector: parts of one commit are acknowledged together", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const ActionId action = bench.Fly(1);
  bench.Say(topics::Result(agent.id), agent.Receive(action, "started"));  // its key is known now
  for (std::uint64_t seq = 0; seq < 300; ++seq) {
    bench.collector->Receive(0, topics::Result(agent.id), agent.Part(action, seq, false));
  }
  bench.Settle();
  std::size_t parts = 0;
  for (const Acknowledgement& ack : bench.Acknowledged()) parts += ack.parts.size();
  CHECK(parts == 300);
  CHECK(bench.Acknowledged().size() < 150);
}

TEST_CASE("collector: an answer with a shorter ledger than before marks its agent", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  const auto marked = [&] {
    auto row = bench.db->Read([&](store::ServerReader& r) { return r.FindAgent(agent.id); });
    REQUIRE(row);
    return (*row)->ledger_back.has_value();
  };
  const ActionId first = bench.Fly(1);
  agent.ledger = {20, Bytes(32, 't')};
  bench.Say(topics::Result(agent.id), agent.Part(first, 0, true));
  CHECK_FALSE(marked());
  const ActionId second = bench.Fly(2);
  agent.clock += seconds(5);
  agent.ledger = {6, Bytes(32, 's')};
  bench.Say(topics::Result(agent.id), agent.Part(second, 0, true));
  CHECK(marked());
  // Its answer counts all the same: nothing is lost, and a person looks at it.
  CHECK(bench.Parts(second) == 1);
}

TEST_CASE("collector: two machines with one identity are sent nothing but stops", "[scheduler]") {
  Bench bench;
  FakeAgent agent = bench.Enrol();
  bench.ComeOn(agent);
  const ActionId running = bench.Fly(1);
  for (const char* boot : {"a", "b", "a", "b", "a"}) {
    bench.now += seconds(1);
    agent.clock = bench.now;
    bench.Say(topics::Presence(agent.id), agent.Presence(true, boot));
  }
  // Each of them is told, from when it is known.
  const auto told = [&] {
    int count = 0;
    for (const Outgoing& message : bench.relays.Sent("/ctl")) {
      const auto control = DecodeControl(*message.payload);
      if (control && std::holds_alternative<IdentityHeld>(*control)) ++count;
    }
    return count;
  };
  const int first = told();
  CHECK(first >= 1);
  CHECK(first < 5);
  bench.now += seconds(1);
  agent.clock = bench.now;
  bench.Say(topics::Presence(agent.id), agent.Presence(true, "b"));
  CHECK(told() == first + 1);
  const std::size_t before = bench.relays.Sent("/cmd").size();
  const ActionId held = bench.Fly(2);
  const store::CommandRow command = bench.Command(held, agent.id);
  CHECK(command.status == CommandStatus::kPrepared);
  CHECK(command.code == "held");
  CHECK(command.detail.find("mig agents") != std::string::npos);
  CHECK(bench.relays.Sent("/cmd").size() == before);

  store::NewAction stop = bench.MakeAction(3);
  stop.kind = Kind::kStop;
  stop.stops = running;
  bench.Add(stop);
  bench.dispatcher->Wake();
  bench.Settle();
  CHECK(bench.Command(stop.id, agent.id).status == CommandStatus::kSent);
}

TEST_CASE("collector: two agents on one machine become a proposal for people, once",
          "[scheduler]") {
  Bench bench;
  FakeAgent older = bench.Enrol();
  FakeAgent newer = bench.Enrol();
  const auto beat = [&](FakeAgent& agent, std::string host, std::uint64_t pid, UtcTime started) {
    mig::Heartbeat heartbeat;
    heartbeat.agent = agent.id;
    heartbeat.name = "web1";
    heartbeat.version = "1.0";
    heartbeat.time = agent.clock = bench.now;
    heartbeat.started = started;
    heartbeat.boot = "boot";
    heartbeat.host = std::move(host);
    heartbeat.pid = pid;
    heartbeat.ledger = agent.Mark();
    bench.Say(topics::Heartbeat(agent.id), agent.Say(kHeartbeatType, EncodeHeartbeat(heartbeat)));
  };
  const auto proposals = [&] {
    auto list = bench.db->Read(
        [](store::ServerReader& reader) { return reader.ListProposals(0, 10, kStart); });
    REQUIRE(list);
    return *list;
  };
  beat(older, "", 812, kStart - seconds(90));
  beat(newer, "", 900, kStart - seconds(10));
  CHECK(proposals().empty());  // they do not say where they are: several are wanted there
  beat(older, "here", 812, kStart - seconds(90));
  beat(newer, "elsewhere", 900, kStart - seconds(10));
  CHECK(proposals().empty());
  beat(newer, "here", 900, kStart - seconds(10));
  beat(older, "here", 812, kStart - seconds(90));
  REQUIRE(proposals().size() == 1);
  const auto proposal = proposals()[0];
  CHECK(proposal.kind == Kind::kAdmin);
  CHECK(proposal.target == "id = '" + newer.id.Text() + "'");
  CHECK(proposal.operations.find("\"agentdestroy\"") != std::string::npos);
  CHECK(proposal.operations.find("\"pid\":812") != std::string::npos);
}

}  // namespace
}  // namespace mig::scheduler
