// wire.md is read as a machine reads it: each example with the decoder it is an example of, each
// field against the table above it, each bound and each list of names against the code.
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crypto/envelope.h"
#include "crypto/key_file.h"
#include "crypto/public_key_line.h"
#include "modules/frames.h"
#include "proto/access.h"
#include "proto/action.h"
#include "proto/command.h"
#include "proto/freshness.h"
#include "proto/grant.h"
#include "proto/policy.h"
#include "proto/result.h"
#include "proto/target.h"
#include "proto/topics.h"
#include "test/document.h"
#include "test/golden/golden.h"
#include "trust/ledger.h"
#include "trust/refusal.h"
#include "util/text.h"

using namespace mig;

namespace {

const Document& Wire() {
  static const Document document = ReadDocument("src/proto/wire.md");
  return document;
}

template <typename T>
Expected<void> Done(Expected<T> outcome) {
  if (!outcome) return std::move(outcome).error();
  return {};
}

Bytes BytesOfHex(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ' && c != '\n') digits += c;
  }
  return *DecodeHex(digits);
}

std::string_view WithoutEnd(std::string_view text) {
  REQUIRE(text.ends_with('\n'));
  return text.substr(0, text.size() - 1);
}

Expected<void> ReadTopics(const std::string& text) {
  const auto heartbeat = DecodeHeartbeat(Golden("heartbeat.v1.json"));
  const AgentId agent = heartbeat->agent;
  CHECK(text == Join(std::vector<std::string>{topics::Command(agent), topics::Control(agent),
                                              topics::Result(agent), topics::Heartbeat(agent),
                                              topics::Presence(agent), ""},
                     "\n"));
  return {};
}

Expected<void> ReadEncoding(const std::string& text) {
  CHECK(BytesOfHex(text) == PreAuthEncoding("http://example.com/HelloWorld", "hello world"));
  return {};
}

Expected<void> ReadFrames(const std::string& text) {
  FrameDecoder decoder;
  if (auto ok = decoder.Feed(BytesOfHex(text)); !ok) return ok;
  const auto element = decoder.Next();
  if (!element) return element.error();
  REQUIRE((*element && (*element)->element));
  CHECK((*element)->element->label == "s1");
  CHECK((*element)->element->element == 7);
  const auto summary = decoder.Next();
  if (!summary) return summary.error();
  REQUIRE((*summary && (*summary)->summary));
  CHECK((*summary)->summary->foundanything);
  CHECK(decoder.finished());
  return {};
}

// Every format of wire.md, and what reads it. A new format: a section there, a line here.
const std::map<std::string, std::function<Expected<void>(const std::string&)>> kReaders = {
    {"acknowledgement", [](const std::string& t) { return Done(DecodeControl(t)); }},
    {"action", [](const std::string& t) { return Done(DecodeAction(t)); }},
    {"audience-proof",
     [](const std::string& t) {
       return Done(DecodeAudienceProof(json::ParseObject(t).value(), "proof"));
     }},
    {"command", [](const std::string& t) { return Done(DecodeCommand(t)); }},
    {"enrol", [](const std::string& t) { return Done(DecodeEnrolRequest(t)); }},
    {"enrol-answer", [](const std::string& t) { return Done(DecodeEnrolAnswer(t)); }},
    {"enrol-token", [](const std::string& t) { return Done(ReadEnrolToken(WithoutEnd(t))); }},
    {"envelope", [](const std::string& t) { return Done(DecodeEnvelope(t)); }},
    {"frames", ReadFrames},
    {"freshness", [](const std::string& t) { return Done(DecodeFreshness(t)); }},
    {"grant", [](const std::string& t) { return Done(DecodeGrant(t)); }},
    {"heartbeat", [](const std::string& t) { return Done(DecodeHeartbeat(t)); }},
    {"held", [](const std::string& t) { return Done(DecodeControl(t)); }},
    {"key-file",
     [](const std::string& t) { return Done(ReadKeyFile(t, "correct horse battery staple")); }},
    {"ledger-entry", [](const std::string& t) { return Done(ReadLedgerText(WithoutEnd(t))); }},
    {"policy", [](const std::string& t) { return Done(DecodePolicy(t)); }},
    {"policy-update", [](const std::string& t) { return Done(DecodeControl(t)); }},
    {"pre-auth-encoding", ReadEncoding},
    {"presence", [](const std::string& t) { return Done(DecodePresence(t)); }},
    {"public-line", [](const std::string& t) { return Done(ReadPublicLine(t)); }},
    {"receipt", [](const std::string& t) { return Done(DecodeReceipt(t)); }},
    {"renew", [](const std::string& t) { return Done(DecodeRenewRequest(t)); }},
    {"result", [](const std::string& t) { return Done(DecodeResultPart(t)); }},
    {"root", [](const std::string& t) { return Done(DecodeRoot(t)); }},
    {"session", [](const std::string& t) { return Done(DecodeSessionRequest(t)); }},
    {"topics", ReadTopics},
};

std::string Quoted(std::string_view name) { return "`" + std::string(name) + "`"; }

}  // namespace

TEST_CASE("wire.md: every example is read by the decoder of its format", "[wire]") {
  std::set<std::string> seen;
  for (const Example& example : Wire().examples) {
    INFO(example.name << ":\n" << example.text);
    const auto reader = kReaders.find(example.name);
    REQUIRE(reader != kReaders.end());
    const auto outcome = reader->second(example.text);
    INFO((outcome ? std::string() : outcome.error().message()));
    CHECK(outcome);
    seen.insert(example.name);
  }
  for (const auto& [format, reader] : kReaders) {
    INFO("no example of " << format);
    CHECK(seen.count(format) == 1);
  }
}

TEST_CASE("wire.md: every field of an example stands in the tables of its section", "[wire]") {
  for (const Example& example : Wire().examples) {
    if (example.language != "json" && example.name != "ledger-entry") continue;
    INFO(example.name << " in " << example.section);
    const auto names = Wire().fields.find(example.section);
    REQUIRE(names != Wire().fields.end());
    CheckFields(*json::Parse(example.text), "", names->second);
  }
}

TEST_CASE("wire.md: the examples are the golden files, written for people", "[wire]") {
  // So that what the document promises is what stays readable for ever.
  std::set<std::string> golden;
  for (const char* name :
       {"acknowledgement", "action",      "action-respond", "audience-proof", "command",   "enrol",
        "enrol-answer",    "envelope",    "freshness",      "grant",          "heartbeat", "held",
        "policy",          "policy-full", "policy-update",  "presence",       "receipt",   "renew",
        "result",          "result-last", "root",           "session",        "stop"}) {
    golden.insert(json::Write(*json::Parse(Golden(std::string(name) + ".v1.json"))));
  }
  for (const Example& example : Wire().examples) {
    if (example.language != "json") continue;
    INFO(example.name);
    CHECK(golden.count(json::Write(*json::Parse(example.text))) == 1);
  }
}

TEST_CASE("wire.md: the target's examples evaluate as the table says", "[wire]") {
  Target::Facts facts;
  facts.value = [](std::string_view field,
                   std::string_view key) -> std::optional<std::optional<std::string>> {
    if (field == "name") return std::optional<std::string>("web1");
    if (field == "environment" && key == "os") return std::optional<std::string>("linux");
    if (field == "tags") return std::optional<std::string>();
    return std::nullopt;
  };
  facts.found = facts.notfound = [](const ActionId&) { return Truth::kUnknown; };
  facts.now = *ParseRfc3339("2026-11-23T09:30:00Z");
  int rows = 0;
  for (const std::string_view line : Split(Wire().text, '\n')) {
    const auto expression = RowNames(line);
    if (expression.size() != 1 || !line.ends_with("* |")) continue;
    const std::string_view said = line.substr(line.rfind(" *") + 2);
    const Truth truth = said == "true* |"    ? Truth::kTrue
                        : said == "false* |" ? Truth::kFalse
                                             : Truth::kUnknown;
    INFO(line);
    const auto target = Target::Parse(expression[0]);
    REQUIRE(target);
    CHECK(target->Evaluate(facts) == truth);
    ++rows;
  }
  CHECK(rows >= 10);
}

TEST_CASE("wire.md: lists of names and bounds are those of the code", "[wire]") {
  const std::string& text = Wire().text;
  const auto says = [&](const std::string& what) {
    INFO(what);
    CHECK(text.find(what) != std::string::npos);
  };
  std::string statuses = "Status of a command: ";
  for (int i = 0; i <= static_cast<int>(CommandStatus::kInterrupted); ++i) {
    if (i > 0) statuses += ", ";
    statuses += Quoted(CommandStatusName(static_cast<CommandStatus>(i)));
  }
  says(statuses + ";");
  statuses = "Status of an action: ";
  for (int i = 0; i <= static_cast<int>(ActionStatus::kInvalid); ++i) {
    if (i > 0) statuses += ", ";
    statuses += Quoted(ActionStatusName(static_cast<ActionStatus>(i)));
  }
  says(statuses + ";");
  for (int i = 0; i <= static_cast<int>(Refusal::kLedger); ++i) {
    says(Quoted(RefusalCode(static_cast<Refusal>(i))));
  }
  for (const std::string_view topic :
       {topics::kAllPolicy, topics::kAllCommands, topics::kWakeScheduler, topics::kActionEvent,
        topics::kAgentEvent}) {
    says("| " + Quoted(topic) + " |");
  }
  for (const std::string_view type :
       {kActionType, kRootType, kPolicyType, kReceiptType, kResultType, kHeartbeatType,
        kPresenceType, kSessionType, kEnrolType, kRenewType, kFreshnessType, kGrantType}) {
    says(Quoted(type));
  }
  const Limits limits;
  says("| `seconds` | " + std::to_string(limits.seconds) + " |");
  says("| `rss` | " + std::to_string(limits.rss) + " |");
  says("| `cpu` | " + std::to_string(limits.cpu) + " |");
  says("| `rows` | " + std::to_string(limits.rows) + " |");
  says("| `bytes` | " + std::to_string(limits.bytes) + " |");
  says(GroupThousands(kMaxEnvelopeBytes) + " bytes");
  says(GroupThousands(kMaxCommandBytes) + " bytes");
  says(GroupThousands(kMaxPartPayloadBytes) + " bytes");
  says(GroupThousands(kMaxFrameBytes));
}
