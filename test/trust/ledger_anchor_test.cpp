#include "trust/ledger_anchor.h"

#include <catch2/catch.hpp>

#include "crypto/digest.h"
#include "test/deployment.h"

namespace mig {
namespace {

struct Voice {
  SecretKey key = SecretKey::Generate();
  AgentId id = *AgentId::FromBytes(key.public_key().Fingerprint());
  Bytes public_key{key.public_key().View()};
  ResultPart part;

  Voice() {
    part.agent = id;
    part.action = *ActionId::FromBytes("0123456789abcdef");
    part.time = TimeAt("2026-11-23T12:00:00Z");
    part.ledger = {7, Bytes(32, 'h')};
  }
  Envelope Result() const { return Seal(kResultType, EncodeResultPart(part), key); }
};

TEST_CASE("anchor: a signed result part tells length, head, action and time", "[trust]") {
  const Voice voice;
  const auto anchor = AnchorIn(voice.Result(), voice.public_key, "Ann");
  REQUIRE(anchor);
  CHECK(anchor->agent == voice.id);
  CHECK(anchor->mark.length == 7);
  CHECK(anchor->mark.head == Bytes(32, 'h'));
  CHECK(anchor->action == voice.part.action);
  CHECK(anchor->time == voice.part.time);
  CHECK(anchor->what == "result");
  CHECK(anchor->held_by == "Ann");
}

TEST_CASE("anchor: receipts and heartbeats are anchors, other words of an agent are not",
          "[trust]") {
  const Voice voice;
  Receipt receipt;
  receipt.agent = voice.id;
  receipt.action = voice.part.action;
  receipt.state = "received";
  receipt.ledger = {8, Bytes(32, 'r')};
  auto anchor =
      AnchorIn(Seal(kReceiptType, EncodeReceipt(receipt), voice.key), voice.public_key, "");
  REQUIRE(anchor);
  CHECK(anchor->mark.length == 8);
  CHECK(anchor->what == "receipt");

  Heartbeat beat;
  beat.agent = voice.id;
  beat.name = "web1";
  beat.version = "1";
  beat.sandbox = "full";
  beat.boot = "b";
  beat.ledger = {9, Bytes(32, 'b')};
  anchor = AnchorIn(Seal(kHeartbeatType, EncodeHeartbeat(beat), voice.key), voice.public_key, "");
  REQUIRE(anchor);
  CHECK(anchor->mark.length == 9);
  CHECK_FALSE(anchor->action);

  const Presence on{voice.id, true, TimeAt("2026-11-23T12:00:00Z"), "b"};
  const auto none =
      AnchorIn(Seal(kPresenceType, EncodePresence(on), voice.key), voice.public_key, "");
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == Errc::kUnsupported);
}

TEST_CASE("anchor: what another key signed, or speaks of another agent, is refused", "[trust]") {
  Voice voice;
  const Voice other;
  CHECK(AnchorIn(voice.Result(), other.public_key, "").error().code() == Errc::kDenied);
  Envelope changed = voice.Result();
  changed.payload[changed.payload.find("\"length\":7") + 9] = '9';
  CHECK(AnchorIn(changed, voice.public_key, "").error().code() == Errc::kDenied);
  voice.part.agent = other.id;
  CHECK(AnchorIn(voice.Result(), voice.public_key, "").error().code() == Errc::kDenied);
  CHECK_FALSE(AnchorIn(voice.Result(), "short", ""));
}

TEST_CASE("anchor: a file of anchors survives, and what stands beside the envelope is not believed",
          "[trust]") {
  const Voice voice;
  const auto anchor = AnchorIn(voice.Result(), voice.public_key, "Ann \xff");
  REQUIRE(anchor);
  const Bytes text = WriteAnchors({*anchor, *anchor});
  auto read = ReadAnchors(text);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK((*read)[1].held_by == "Ann \xff");

  json::object fields = AnchorToJson(*anchor);
  fields["length"] = 99;
  fields["agent"] = "nonsense";
  read = ReadAnchors(json::Write(json::object{{"anchors", json::array{fields}}}));
  REQUIRE(read);
  CHECK((*read)[0].mark.length == 7);
  CHECK((*read)[0].agent == voice.id);

  fields["key"] = EncodeBase64(Voice().public_key);
  read = ReadAnchors(
      json::Write(json::object{{"anchors", json::array{AnchorToJson(*anchor), fields}}}));
  REQUIRE_FALSE(read);
  CHECK(read.error().message().find("anchors[1]") == 0);
  CHECK(ReadAnchors(WriteAnchors({})).value().empty());
  CHECK_FALSE(ReadAnchors("{}"));
  CHECK_FALSE(ReadAnchors("{\"anchors\":[1]}"));
}

TEST_CASE("anchor: a mark read out is LENGTH:HEAD and nothing else", "[trust]") {
  const LedgerMark mark{12, Bytes(32, '\x1f')};
  const auto read = ParseMark(FormatMark(mark));
  REQUIRE(read);
  CHECK(read->length == 12);
  CHECK(read->head == mark.head);
  for (const char* wrong : {"", "12", "12:", "12:1f", ":1f", "-1:", "x:00", "12 :00"}) {
    CHECK_FALSE(ParseMark(wrong));
  }
  CHECK_FALSE(ParseMark(FormatMark(mark) + "00"));
  CHECK_FALSE(ParseMark("1e3" + FormatMark(mark).substr(2)));
}

}  // namespace
}  // namespace mig
