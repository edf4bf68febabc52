#include "cli/result_check.h"

#include <catch2/catch.hpp>

#include "test/cli/agent_voice.h"

using namespace mig;
using namespace mig::cli;

namespace {

const ActionId kAction = *ActionId::FromBytes("0123456789abcdef");
const ActionId kOther = *ActionId::FromBytes("fedcba9876543210");

ResultCheck CheckFor(const AgentVoice& agent) {
  return ResultCheck(kAction, 1, std::vector<ShownAgent>{agent.Shown()});
}

std::optional<PartFault> FaultOf(ResultCheck& check, const AgentVoice& agent,
                                 const ResultPart& part) {
  const auto verdict = check.Check(agent.id(), "", agent.Sign(part));
  // What is wrong in itself is never handed on.
  if (verdict.fault && verdict.fault != PartFault::kBrokenChain) CHECK_FALSE(verdict.part);
  return verdict.fault;
}

}  // namespace

TEST_CASE("result check: a whole answer verifies", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  CHECK(check.Missing(agent.id()) == "every part");
  for (int i = 0; i < 3; ++i) {
    const auto verdict = check.Check(agent.id(), "", agent.Sign(agent.Next(kAction, i == 2)));
    CHECK_FALSE(verdict.fault);
    REQUIRE(verdict.part);
    CHECK(verdict.part->seq == static_cast<std::uint64_t>(i));
    CHECK(check.Complete(agent.id()) == (i == 2));
  }
  CHECK(check.Missing(agent.id()).empty());
}

TEST_CASE("result check: parts may arrive in any order, each counts once", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  std::vector<ResultPart> parts;
  for (int i = 0; i < 4; ++i) parts.push_back(agent.Next(kAction, i == 3));
  CHECK_FALSE(FaultOf(check, agent, parts[3]));
  CHECK(check.Missing(agent.id()) == "parts 0 to 2");
  CHECK_FALSE(FaultOf(check, agent, parts[1]));
  CHECK(check.Missing(agent.id()) == "part 0");
  CHECK_FALSE(FaultOf(check, agent, parts[0]));
  CHECK(check.Missing(agent.id()) == "part 2");
  CHECK_FALSE(check.Complete(agent.id()));
  CHECK_FALSE(FaultOf(check, agent, parts[2]));
  CHECK(check.Complete(agent.id()));
  for (const ResultPart& part : parts) {
    const auto again = check.Check(agent.id(), "", agent.Sign(part));
    CHECK(again.repeated);
    CHECK_FALSE(again.part);
  }
}

TEST_CASE("result check: an altered payload does not verify", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  Envelope envelope = agent.Sign(agent.Next(kAction, true));
  envelope.payload[envelope.payload.size() / 2] ^= 1;
  CHECK(check.Check(agent.id(), "", envelope).fault == PartFault::kBadSignature);
}

TEST_CASE("result check: an agent that was not shown does not count, however well it signs",
          "[cli]") {
  AgentVoice shown("web1");
  AgentVoice intruder("web1");
  ResultCheck check = CheckFor(shown);
  const auto verdict = check.Check(intruder.id(), intruder.key().public_key().View(),
                                   intruder.Sign(intruder.Next(kAction, true)));
  CHECK(verdict.fault == PartFault::kNotShown);
}

TEST_CASE("result check: a key that the server swapped is noticed", "[cli]") {
  AgentVoice agent("web1");
  AgentVoice forger("web1");
  // The server lists the agent's id with the forger's key, and forges the answer.
  ShownAgent listed = agent.Shown();
  listed.key = Bytes(forger.key().public_key().View());
  ResultCheck check(kAction, 1, std::vector<ShownAgent>{listed});
  ResultPart part = forger.Next(kAction, true);
  part.agent = agent.id();
  CHECK(check.Check(agent.id(), listed.key, forger.Sign(part)).fault == PartFault::kWrongKey);
}

TEST_CASE("result check: without the shown set the key must still hash to the id", "[cli]") {
  AgentVoice agent("web1");
  AgentVoice forger("web1");
  ResultCheck check(kAction, 1, std::nullopt);
  const Envelope good = agent.Sign(agent.Next(kAction, true));
  CHECK(check.Check(agent.id(), forger.key().public_key().View(), good).fault ==
        PartFault::kWrongKey);
  CHECK(check.Check(agent.id(), "", good).fault == PartFault::kWrongKey);
  CHECK_FALSE(check.Check(agent.id(), agent.key().public_key().View(), good).fault);
}

TEST_CASE("result check: what is no envelope is a fault of that agent", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  CHECK(check.Check(agent.id(), "", std::nullopt).fault == PartFault::kNotEnvelope);
}

TEST_CASE("result check: a signed heartbeat is no result", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  const ResultPart part = agent.Next(kAction, true);
  const Envelope envelope = Seal(kHeartbeatType, EncodeResultPart(part), agent.key());
  CHECK(check.Check(agent.id(), "", envelope).fault == PartFault::kWrongType);
}

TEST_CASE("result check: signed bytes that are no part are a fault of their own", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  CHECK(check.Check(agent.id(), "", Seal(kResultType, "{}", agent.key())).fault ==
        PartFault::kMalformed);
}

TEST_CASE("result check: a part for another action, agent or operation does not count", "[cli]") {
  AgentVoice agent("web1");
  AgentVoice other("web2");
  ResultCheck check(kAction, 1, std::vector<ShownAgent>{agent.Shown(), other.Shown()});
  CHECK(FaultOf(check, agent, agent.Next(kOther, true)) == PartFault::kOtherAction);
  ResultPart part = AgentVoice("x").Next(kAction, true);
  part.agent = other.id();
  CHECK(FaultOf(check, agent, part) == PartFault::kOtherAgent);
  part.agent = agent.id();
  part.operation = 1;
  CHECK(FaultOf(check, agent, part) == PartFault::kNoOperation);
}

TEST_CASE("result check: a chain that does not fit together is a fault", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  const ResultPart first = agent.Next(kAction, false);
  ResultPart second = agent.Next(kAction, true);
  second.previous = Bytes(32, 'x');
  CHECK_FALSE(FaultOf(check, agent, first));
  CHECK(FaultOf(check, agent, second) == PartFault::kBrokenChain);

  AgentVoice late("web2");
  ResultCheck backwards = CheckFor(late);
  const ResultPart a = late.Next(kAction, false);
  ResultPart b = late.Next(kAction, true);
  b.previous = Bytes(32, 'x');
  CHECK_FALSE(FaultOf(backwards, late, b));
  CHECK(FaultOf(backwards, late, a) == PartFault::kBrokenChain);
}

TEST_CASE("result check: two parts with one number contradict each other", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  agent.Next(kAction, false);
  ResultPart second = agent.Next(kAction, false);
  CHECK_FALSE(FaultOf(check, agent, second));
  second.time += std::chrono::seconds(1);
  CHECK(FaultOf(check, agent, second) == PartFault::kConflict);
}

TEST_CASE("result check: nothing follows the last part", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  CHECK_FALSE(FaultOf(check, agent, agent.Next(kAction, true)));
  CHECK(FaultOf(check, agent, agent.Next(kAction, false)) == PartFault::kAfterLast);
  CHECK(check.Complete(agent.id()));

  // The same when the later part came first.
  AgentVoice other("web2");
  ResultCheck backwards = CheckFor(other);
  const ResultPart last = other.Next(kAction, true);
  CHECK_FALSE(FaultOf(backwards, other, other.Next(kAction, false)));
  CHECK(FaultOf(backwards, other, last) == PartFault::kAfterLast);
}

TEST_CASE("result check: an answer without its end is not complete", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  CHECK_FALSE(FaultOf(check, agent, agent.Next(kAction, false)));
  CHECK_FALSE(check.Complete(agent.id()));
  CHECK(check.Missing(agent.id()) == "everything after part 0");
}

TEST_CASE("result check: a flood of parts ahead of the chain is bounded", "[cli]") {
  AgentVoice agent("web1");
  ResultCheck check = CheckFor(agent);
  const ResultPart first = agent.Next(kAction, false);
  for (std::size_t i = 0; i < ResultCheck::kMaxAhead; ++i) {
    REQUIRE_FALSE(FaultOf(check, agent, agent.Next(kAction, false)));
  }
  CHECK(FaultOf(check, agent, agent.Next(kAction, false)) == PartFault::kTooFarAhead);
  CHECK_FALSE(FaultOf(check, agent, first));  // what is next is always welcome
}
