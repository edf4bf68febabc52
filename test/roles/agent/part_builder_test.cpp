#include "roles/agent/part_builder.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "crypto/ed25519.h"

namespace mig::agent {
namespace {

const AgentId kAgent = *AgentId::FromBytes(Bytes(32, 'a'));
const ActionId kAction = *ActionId::FromBytes(Bytes(16, 'b'));
const UtcTime kNow = *ParseRfc3339("2026-11-23T12:00:00Z");
const LedgerMark kMark{3, Bytes(32, 'h')};

PartBuilder Builder(Limits limits = {}, store::PartsProgress progress = {}) {
  return PartBuilder(kAgent, kAction, limits, progress);
}

json::value Text(std::size_t length, char c) { return json::value(std::string(length, c)); }

ElementFrame Element(json::value v, std::string label = "s1") {
  ElementFrame frame;
  frame.label = std::move(label);
  frame.encoded_bytes = json::Write(v).size();
  frame.element = std::move(v);
  return frame;
}

OperationSummary Success() {
  OperationSummary summary;
  summary.result = ToJson(ModuleResult{.foundanything = true, .success = true});
  summary.sandbox = "full";
  return summary;
}

TEST_CASE("parts: elements and summary come in one part when they fit", "[agent]") {
  PartBuilder builder = Builder();
  CHECK(builder.Add(Element(7)) == PartBuilder::Added::kTaken);
  CHECK(builder.Add(Element("x", "s2")) == PartBuilder::Added::kTaken);
  REQUIRE(builder.SummaryFits(Success()));
  const UnsignedPart part = builder.End(Success(), CommandStatus::kSuccess, kNow, kMark);
  CHECK(part.seq == 0);
  CHECK(part.last);
  CHECK(part.ends_operation);
  CHECK(part.digest == Sha256(part.payload));
  const auto decoded = DecodeResultPart(part.payload);
  REQUIRE(decoded);
  CHECK(decoded->previous.empty());
  REQUIRE(decoded->elements.size() == 2);
  CHECK(decoded->elements[0].label == "s1");
  CHECK(decoded->elements[1].value == json::value("x"));
  CHECK(decoded->status == CommandStatus::kSuccess);
  CHECK(decoded->ledger.length == 3);
  CHECK(decoded->time == kNow);
}

TEST_CASE("parts: nothing moves on until a part is stored", "[agent]") {
  PartBuilder builder = Builder();
  REQUIRE(builder.Add(Element(7)) == PartBuilder::Added::kTaken);
  const UnsignedPart first = builder.Cut(kNow, kMark);
  CHECK(builder.Cut(kNow, kMark).payload == first.payload);
  builder.Stored(first);
  CHECK(builder.empty());
  REQUIRE(builder.Add(Element(8)) == PartBuilder::Added::kTaken);
  const UnsignedPart second = builder.Cut(kNow, kMark);
  CHECK(second.seq == 1);
  CHECK(DecodeResultPart(second.payload)->previous == first.digest);
}

TEST_CASE("parts: each is at most as large as its envelope may be", "[agent]") {
  PartBuilder builder = Builder();
  std::vector<UnsignedPart> parts;
  std::uint64_t taken = 0;
  // Text that JSON must escape, and numbers that are written longer than they were read.
  const json::value nasty = json::object{{"path", std::string(200, '\n')}, {"n", {1.1, 2.2, 3.3}}};
  while (parts.size() < 3) {
    const auto added = builder.Add(Element(nasty, std::string(40, '"')));
    if (added == PartBuilder::Added::kTaken) {
      ++taken;
      continue;
    }
    REQUIRE(added == PartBuilder::Added::kFull);
    parts.push_back(builder.Cut(kNow, kMark));
    builder.Stored(parts.back());
  }
  std::uint64_t found = 0;
  const SecretKey key = SecretKey::Generate();
  for (const UnsignedPart& part : parts) {
    CHECK(part.payload.size() <= kMaxPartPayloadBytes);
    CHECK(part.payload.size() > kMaxPartPayloadBytes - 4096);
    CHECK(EncodeEnvelope(Seal(kResultType, part.payload, key)).size() <= kMaxEnvelopeBytes);
    found += DecodeResultPart(part.payload)->elements.size();
  }
  CHECK(found == taken);
}

TEST_CASE("parts: the largest frame fits, a larger element is turned away", "[agent]") {
  PartBuilder builder = Builder();
  CHECK(builder.Add(Element(Text(kMaxFrameBytes - 300, 'x'), std::string(256, '\x01'))) ==
        PartBuilder::Added::kTaken);
  CHECK(builder.Add(Element(Text(kMaxFrameBytes - 300, 'x'))) == PartBuilder::Added::kFull);
  json::array numbers(40'000, json::value(1.5));  // "1.5," each from the child, "1.5E0," from us
  CHECK(builder.Add(Element(std::move(numbers))) == PartBuilder::Added::kTooLarge);
}

TEST_CASE("parts: the limits count the whole action", "[agent]") {
  Limits limits;
  limits.rows = 3;
  PartBuilder rows = Builder(limits);
  REQUIRE(rows.Add(Element(1)) == PartBuilder::Added::kTaken);
  rows.Stored(rows.End(Success(), std::nullopt, kNow, kMark));
  rows.BeginOperation(1);
  CHECK(rows.rows_left() == 2);
  REQUIRE(rows.Add(Element(2)) == PartBuilder::Added::kTaken);
  REQUIRE(rows.Add(Element(3)) == PartBuilder::Added::kTaken);
  CHECK(rows.Add(Element(4)) == PartBuilder::Added::kOverRows);
  CHECK(rows.elements() == 3);

  limits = Limits{};
  limits.bytes = 10;
  PartBuilder bytes = Builder(limits);
  REQUIRE(bytes.Add(Element("123456")) == PartBuilder::Added::kTaken);  // 8 with its quotes
  CHECK(bytes.Add(Element("1")) == PartBuilder::Added::kOverBytes);
  CHECK(bytes.bytes_left() == 2);
}

TEST_CASE("parts: elements that are given up do not count", "[agent]") {
  PartBuilder builder = Builder();
  REQUIRE(builder.Add(Element("123")) == PartBuilder::Added::kTaken);
  builder.DropElements();
  CHECK(builder.elements() == 0);
  CHECK(builder.bytes() == 0);
  CHECK(DecodeResultPart(builder.Cut(kNow, kMark).payload)->elements.empty());
}

TEST_CASE("parts: a run that was cut off goes on with the next number and digest", "[agent]") {
  store::PartsProgress progress;
  progress.next_seq = 5;
  progress.last_digest = Bytes(32, 'p');
  progress.operations_ended = 2;
  PartBuilder builder = Builder({}, progress);
  const auto part = DecodeResultPart(builder.Cut(kNow, kMark).payload);
  REQUIRE(part);
  CHECK(part->seq == 5);
  CHECK(part->previous == Bytes(32, 'p'));
  CHECK(part->operation == 2);
}

TEST_CASE("parts: a summary that does not fit beside elements waits for its own part", "[agent]") {
  PartBuilder builder = Builder();
  REQUIRE(builder.Add(Element(Text(120'000, 'x'))) == PartBuilder::Added::kTaken);
  OperationSummary summary = Success();
  summary.result["errors"] = json::array{json::value(std::string(100'000, 'e'))};
  CHECK_FALSE(builder.SummaryFits(summary));
  builder.Stored(builder.Cut(kNow, kMark));
  CHECK(builder.SummaryFits(summary));
  CHECK(builder.End(summary, CommandStatus::kSuccess, kNow, kMark).payload.size() <=
        kMaxPartPayloadBytes);
}

TEST_CASE("parts: a summary that fits nowhere is a failure that says so", "[agent]") {
  const PartBuilder builder = Builder();
  OperationSummary summary = Success();
  summary.result["errors"] = json::array{json::value(std::string(200'000, 'e'))};
  const auto part =
      DecodeResultPart(builder.End(summary, CommandStatus::kFailed, kNow, kMark).payload);
  REQUIRE(part);
  CHECK(part->summary->status == CommandStatus::kFailed);
  CHECK(json::Write(part->summary->result).find("too large") != std::string::npos);
}

}  // namespace
}  // namespace mig::agent
