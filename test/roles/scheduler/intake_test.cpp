#include "roles/scheduler/intake.h"

#include <catch2/catch.hpp>

#include "test/roles/scheduler/fixture.h"

namespace mig::scheduler {
namespace {

const ActionId kAction = *ActionId::FromBytes(Bytes(16, 'a'));

// What becomes of a message: the flaw's name, or the kind it was taken as.
std::string Take(const std::string& topic, const Bytes& message, const FakeAgent& agent) {
  auto opened = OpenMessage(topic, message);
  if (const auto* rejected = std::get_if<Rejected>(&opened)) {
    return std::string(FlawName(rejected->flaw));
  }
  auto verified = VerifyMessage(std::move(std::get<Sealed>(opened)), agent.key.public_key());
  if (const auto* rejected = std::get_if<Rejected>(&verified)) {
    return std::string(FlawName(rejected->flaw));
  }
  constexpr std::array kKinds = {"heartbeat", "presence", "receipt", "part"};
  return kKinds[std::get<Arrival>(verified).index()];
}

TEST_CASE("intake: what an agent signs on its own topics is taken", "[scheduler]") {
  const FakeAgent agent;
  CHECK(Take(topics::Heartbeat(agent.id), agent.Heartbeat(), agent) == "heartbeat");
  CHECK(Take(topics::Presence(agent.id), agent.Presence(true), agent) == "presence");
  CHECK(Take(topics::Result(agent.id), agent.Receive(kAction, "received"), agent) == "receipt");
  CHECK(Take(topics::Result(agent.id), agent.Part(kAction, 0, true), agent) == "part");
}

TEST_CASE("intake: another key's signature is not taken", "[scheduler]") {
  const FakeAgent agent, thief;
  // The thief signs what the agent would have said.
  const Bytes part = EncodeEnvelope(
      Seal(kResultType, EncodeResultPart(agent.MakePart(kAction, 0, true)), thief.key));
  CHECK(Take(topics::Result(agent.id), part, agent) == "signature");
}

TEST_CASE("intake: what one agent signed is not taken on another's topic", "[scheduler]") {
  const FakeAgent agent, other;
  CHECK(Take(topics::Result(agent.id), other.Part(kAction, 0, true), agent) == "signature");
}

TEST_CASE("intake: an agent speaks only of itself", "[scheduler]") {
  const FakeAgent agent, other;
  ResultPart part = agent.MakePart(kAction, 0, true);
  part.agent = other.id;
  CHECK(Take(topics::Result(agent.id), agent.Say(kResultType, EncodeResultPart(part)), agent) ==
        "other_agent");
  CHECK(Take(topics::Presence(agent.id),
             agent.Say(kPresenceType, EncodePresence({other.id, false, kStart, ""})),
             agent) == "other_agent");
}

TEST_CASE("intake: one byte altered is not taken", "[scheduler]") {
  const FakeAgent agent;
  auto envelope = DecodeEnvelope(agent.Part(kAction, 0, true));
  REQUIRE(envelope);
  envelope->payload[envelope->payload.find("true")] = 'T';
  CHECK(Take(topics::Result(agent.id), EncodeEnvelope(*envelope), agent) == "signature");
}

TEST_CASE("intake: a message's type must be one that belongs on its topic", "[scheduler]") {
  const FakeAgent agent;
  CHECK(Take(topics::Result(agent.id), agent.Heartbeat(), agent) == "type");
  CHECK(Take(topics::Heartbeat(agent.id), agent.Presence(true), agent) == "type");
  CHECK(Take(topics::Presence(agent.id), agent.Part(kAction, 0, true), agent) == "type");
  CHECK(Take(topics::Result(agent.id), agent.Say(kActionType, "{}"), agent) == "type");
  // The same bytes under another type are another message.
  CHECK(Take(topics::Result(agent.id),
             agent.Say(kReceiptType, EncodeResultPart(agent.MakePart(kAction, 0, true))),
             agent) == "payload");
}

TEST_CASE("intake: topics that are none of ours are not taken", "[scheduler]") {
  const FakeAgent agent;
  const Bytes message = agent.Heartbeat();
  std::string wrong_shard = topics::Heartbeat(agent.id);
  wrong_shard[10] = wrong_shard[10] == '0' ? '1' : '0';
  for (const std::string& topic :
       {std::string("mig/v1/up"), std::string("mig/v1/up/00/x/hb"), wrong_shard,
        topics::Heartbeat(agent.id) + "/more", topics::Command(agent.id)}) {
    CHECK(Take(topic, message, agent) == "topic");
  }
}

TEST_CASE("intake: bytes that are no envelope are not taken", "[scheduler]") {
  const FakeAgent agent;
  for (const std::string& bytes :
       {std::string(), std::string("{}"), std::string("[1"), std::string("\xff\xfe"),
        std::string(300 * 1024, ' '), std::string(10'000, '[')}) {
    CHECK(Take(topics::Result(agent.id), bytes, agent) == "envelope");
  }
}

TEST_CASE("intake: a signed heartbeat that is far too large is not taken", "[scheduler]") {
  const FakeAgent agent;
  mig::Heartbeat beat;
  beat.agent = agent.id;
  beat.name = "x";
  beat.version = "1";
  beat.time = beat.started = kStart;
  beat.ledger = agent.Mark();
  for (int i = 0; i < 4000; ++i) beat.tags["tag" + std::to_string(i)] = "value";
  CHECK(Take(topics::Heartbeat(agent.id), agent.Say(kHeartbeatType, EncodeHeartbeat(beat)),
             agent) == "payload");
}

TEST_CASE("intake: a key that is not the one of the id does not speak for it", "[scheduler]") {
  const FakeAgent agent, thief;
  // As if the store had been given the thief's key for the agent's id.
  const Bytes part = EncodeEnvelope(
      Seal(kResultType, EncodeResultPart(agent.MakePart(kAction, 0, true)), thief.key));
  CHECK(Take(topics::Result(agent.id), part, thief) == "signature");
}

TEST_CASE("intake: how a run ended is the agent's to say, expired and refused are not",
          "[scheduler]") {
  const FakeAgent agent;
  ResultPart part = agent.MakePart(kAction, 0, true);
  for (const CommandStatus status : {CommandStatus::kSuccess, CommandStatus::kTimeout,
                                     CommandStatus::kStopped, CommandStatus::kInterrupted}) {
    part.status = status;
    CHECK(FinalStatus(part) == status);
  }
  for (const CommandStatus status :
       {CommandStatus::kExpired, CommandStatus::kRefused, CommandStatus::kFailed}) {
    part.status = status;
    CHECK(FinalStatus(part) == CommandStatus::kFailed);
  }
}

TEST_CASE("intake: only a summary that says so has found something", "[scheduler]") {
  ResultPart part;
  CHECK_FALSE(FoundAnything(part));
  part.summary.emplace();
  CHECK_FALSE(FoundAnything(part));
  part.summary->result["foundanything"] = "true";
  CHECK_FALSE(FoundAnything(part));
  part.summary->result["foundanything"] = true;
  CHECK(FoundAnything(part));
}

}  // namespace
}  // namespace mig::scheduler
