#include "mqtt/codec.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

namespace mig::mqtt {
namespace {

Bytes Hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  auto bytes = DecodeHex(digits);
  REQUIRE(bytes);
  return *bytes;
}

// The packet decodes to `expected`, and `expected` encodes to the same bytes.
template <typename T>
void BothWays(std::string_view hex, Version version, const T& expected) {
  INFO(hex);
  const Bytes bytes = Hex(hex);
  const auto packet = Decode(bytes, version);
  if (!packet) FAIL(packet.error().message());
  REQUIRE(std::holds_alternative<T>(*packet));
  CHECK(std::get<T>(*packet) == expected);
  CHECK(EncodeHex(Encode(Packet(expected), version)) == EncodeHex(bytes));
}

void Refused(std::string_view hex, Version version, Errc code = Errc::kMalformed) {
  INFO(hex);
  const auto packet = Decode(Hex(hex), version);
  REQUIRE_FALSE(packet);
  CHECK(ErrcName(packet.error().code()) == ErrcName(code));
}

constexpr auto k3 = Version::k311;
constexpr auto k5 = Version::k5;

TEST_CASE("variable byte integer: the standard's examples", "[mqtt]") {  // MQTT 5.0 table 1-1
  for (const auto& [value, hex] :
       std::vector<std::pair<std::uint32_t, const char*>>{{0, "00"},
                                                          {127, "7f"},
                                                          {128, "8001"},
                                                          {16383, "ff7f"},
                                                          {16384, "808001"},
                                                          {2097151, "ffff7f"},
                                                          {2097152, "80808001"},
                                                          {268435455, "ffffff7f"}}) {
    Bytes out;
    AppendVariable(out, value);
    CHECK(EncodeHex(out) == hex);
    CHECK(out.size() == VariableSize(value));
    const Bytes bytes = Hex(hex);
    Reader reader(bytes);
    CHECK(reader.Variable() == value);
    CHECK(reader.Finish());
  }
  for (const char* bad : {"8000", "ff", "ffffffff7f", "80808000"}) {
    const Bytes bytes = Hex(bad);
    Reader reader(bytes);
    reader.Variable();
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("fixed header: waits for its bytes and refuses a length of five", "[mqtt]") {
  CHECK_FALSE(ReadFixedHeader("")->has_value());
  CHECK_FALSE(ReadFixedHeader(Hex("30"))->has_value());
  CHECK_FALSE(ReadFixedHeader(Hex("30 ff ff ff"))->has_value());
  const auto header = ReadFixedHeader(Hex("30 80 01"));
  REQUIRE(header);
  REQUIRE(*header);
  CHECK((*header)->PacketBytes() == 131);
  CHECK_FALSE(ReadFixedHeader(Hex("30 ff ff ff ff 01")));
  CHECK_FALSE(ReadFixedHeader(Hex("00 00")));  // packet type 0
  CHECK_FALSE(ReadFixedHeader(Hex("c1 00")));  // flags of PINGREQ
  CHECK_FALSE(ReadFixedHeader(Hex("80 00")));  // flags of SUBSCRIBE
  CHECK_FALSE(ReadFixedHeader(Hex("60 02")));  // flags of PUBREL
}

TEST_CASE("CONNECT: the standard's example of a variable header, 3.1.1", "[mqtt]") {
  // Figure 3.6: user name, password, will QoS 1, clean session, keep alive 10.
  Connect connect;
  connect.version = k3;
  connect.clean_start = true;
  connect.keep_alive_seconds = 10;
  connect.client_id = "a";
  connect.will = Will{"w", "bye", Qos::kAtLeastOnce, false, {}};
  connect.user_name = "u";
  connect.password = "p";
  BothWays("10 1b 0004 4d515454 04 ce 000a 0001 61 0001 77 0003 627965 0001 75 0001 70", k3,
           connect);
}

TEST_CASE("CONNECT: version 5 with properties and will properties", "[mqtt]") {
  Connect connect;
  connect.version = k5;
  connect.clean_start = false;
  connect.keep_alive_seconds = 60;
  connect.client_id = "ab";
  connect.properties.Add(PropertyId::kSessionExpiryInterval, 10)
      .Add(PropertyId::kReceiveMaximum, 20)
      .AddUser("k", "v");
  Will will{"t", "", Qos::kExactlyOnce, true, {}};
  will.properties.Add(PropertyId::kWillDelayInterval, 5);
  connect.will = will;
  BothWays(
      "10 29 0004 4d515454 05 34 003c 0f 11 0000000a 21 0014 26 0001 6b 0001 76 0002 6162 "
      "05 18 00000005 0001 74 0000",
      k5, connect);
}

TEST_CASE("CONNECT: other protocols and versions are unsupported, not malformed", "[mqtt]") {
  Refused("10 0f 0006 4d5149736470 03 02 000a 0001 61", k3, Errc::kUnsupported);  // MQTT 3.1
  Refused("10 0d 0004 4d515454 06 02 000a 0001 61", k3, Errc::kUnsupported);
  Refused("10 0d 0004 6d717474 04 02 000a 0001 61", k3, Errc::kUnsupported);
  Refused("10 07 0004 4d515454 06", k3, Errc::kUnsupported);  // whatever follows
}

TEST_CASE("CONNECT: flags that contradict each other are malformed", "[mqtt]") {
  Refused("10 0d 0004 4d515454 04 03 000a 0001 61", k3);  // reserved flag
  Refused("10 0d 0004 4d515454 04 0a 000a 0001 61", k3);  // will QoS without will
  Refused("10 0d 0004 4d515454 04 22 000a 0001 61", k3);  // will retain without will
  Refused("10 13 0004 4d515454 04 1e 000a 0001 61 0001 77 0001 78", k3);  // will QoS 3
  Refused("10 10 0004 4d515454 04 42 000a 0001 61 0001 70", k3);  // password, no user, 3.1.1
  CHECK(Decode(Hex("10 11 0004 4d515454 05 42 000a 00 0001 61 0001 70"), k5));  // 5.0 allows it
  Refused("10 0e 0004 4d515454 04 02 000a 0001 61 00", k3);                     // a byte too many
  Refused("10 0c 0004 4d515454 04 02 000a 0002 61", k3);                        // a byte too few
  Refused("10 0f 0004 4d515454 04 06 000a 0001 61 00 01", k3);                  // will cut off
}

TEST_CASE("CONNACK: both versions", "[mqtt]") {
  BothWays("20 02 01 00", k3, ConnAck{true, 0, {}});
  BothWays("20 02 00 05", k3, ConnAck{false, 5, {}});
  ConnAck ack{false, 0, {}};
  ack.properties.Add(PropertyId::kAssignedClientIdentifier, "x").Add(PropertyId::kMaximumQos, 1);
  BothWays("20 09 00 00 06 12 0001 78 24 01", k5, ack);
  Refused("20 02 02 00", k3);
  Refused("20 02 00 06", k3, Errc::kInvalid);
  Refused("20 02 01 05", k3, Errc::kInvalid);
  Refused("20 03 00 01 00", k5, Errc::kInvalid);
}

TEST_CASE("PUBLISH: the standard's example of a variable header", "[mqtt]") {  // table 3-2
  Publish publish;
  publish.qos = Qos::kAtLeastOnce;
  publish.topic = "a/b";
  publish.packet_id = 10;
  BothWays("32 07 0003 612f62 000a", k3, publish);
  BothWays("32 08 0003 612f62 000a 00", k5, publish);
}

TEST_CASE("PUBLISH: flags, properties and payload", "[mqtt]") {
  Publish publish;
  publish.dup = true;
  publish.qos = Qos::kExactlyOnce;
  publish.retain = true;
  publish.topic = "t";
  publish.packet_id = 0xFFFF;
  publish.payload = Bytes("\0\xff", 2);
  publish.properties.Add(PropertyId::kPayloadFormatIndicator, 0)
      .Add(PropertyId::kMessageExpiryInterval, 0x01020304)
      .Add(PropertyId::kTopicAlias, 3)
      .Add(PropertyId::kResponseTopic, "r")
      .Add(PropertyId::kCorrelationData, "c")
      .Add(PropertyId::kSubscriptionIdentifier, 200)
      .Add(PropertyId::kSubscriptionIdentifier, 1)
      .AddUser("a", "1")
      .AddUser("a", "2")
      .Add(PropertyId::kContentType, "j");
  BothWays(
      "3d 31 0001 74 ffff 29 01 00 02 01020304 23 0003 08 0001 72 09 0001 63 0b c801 0b 01 "
      "26 0001 61 0001 31 26 0001 61 0001 32 03 0001 6a 00ff",
      k5, publish);
  BothWays("30 03 0001 74", k3, Publish{false, Qos::kAtMostOnce, false, "t", 0, {}, ""});
}

TEST_CASE("PUBLISH: what the standard calls malformed", "[mqtt]") {
  Refused("36 05 0001 74 0001", k3);                  // QoS 3
  Refused("38 03 0001 74", k3);                       // DUP with QoS 0
  Refused("32 05 0001 74 0000", k3, Errc::kInvalid);  // packet identifier 0
  Refused("32 04 0001 74 00", k3);                    // identifier cut off
  Refused("30 02 0000", k3);                          // empty topic
  Refused("30 03 0000 00", k5, Errc::kInvalid);       // empty topic without alias
  Refused("30 03 0001 00", k3);                       // U+0000
  Refused("30 04 0002 c080", k3);                     // overlong UTF-8
  Refused("30 05 0003 eda080", k3);                   // a surrogate
  Refused("30 06 0004 f5808080", k3);                 // beyond U+10FFFF
  Refused("30 03 0002 74", k3);                       // topic longer than the packet
}

TEST_CASE("properties: unknown, misplaced, repeated, out of range", "[mqtt]") {
  Refused("30 06 0001 74 02 7f 00", k5);                        // unknown
  Refused("30 07 0001 74 03 13 0001", k5);                      // server keep alive
  Refused("30 08 0001 74 04 01 00 01 00", k5, Errc::kInvalid);  // payload format twice
  Refused("30 06 0001 74 02 01 02", k5, Errc::kInvalid);        // payload format 2
  Refused("30 06 0001 74 02 0b 00", k5, Errc::kInvalid);        // subscription identifier 0
  Refused("30 06 0001 74 05 01 00", k5);                        // longer than the packet
  Refused("30 06 0001 74 02 02 00", k5);                        // value cut off
  Refused("10 10 0004 4d515454 05 02 000a 03 21 0000 0000", k5, Errc::kInvalid);  // receive max 0
  Refused("10 12 0004 4d515454 05 02 000a 05 27 00000000 0000", k5, Errc::kInvalid);
  Refused("10 11 0004 4d515454 05 02 000a 04 16 0001 78 0000", k5, Errc::kInvalid);  // no method
  Refused("82 0a 0001 04 0b 01 0b 02 0001 61 00", k5);                               // length
  Refused("82 0b 0001 04 0b 01 0b 02 0001 61 00", k5, Errc::kInvalid);  // twice in SUBSCRIBE
}

TEST_CASE("PUBACK, PUBREC, PUBREL, PUBCOMP: short and long forms", "[mqtt]") {
  BothWays("40 02 0001", k3, Ack{PacketType::kPubAck, 1, Reason::kSuccess, {}});
  BothWays("40 02 0001", k5, Ack{PacketType::kPubAck, 1, Reason::kSuccess, {}});
  BothWays("40 03 0001 97", k5, Ack{PacketType::kPubAck, 1, Reason::kQuotaExceeded, {}});
  BothWays("50 03 0001 10", k5, Ack{PacketType::kPubRec, 1, Reason::kNoMatchingSubscribers, {}});
  BothWays("62 02 0102", k5, Ack{PacketType::kPubRel, 0x102, Reason::kSuccess, {}});
  BothWays("70 03 0001 92", k5,
           Ack{PacketType::kPubComp, 1, Reason::kPacketIdentifierNotFound, {}});
  Ack ack{PacketType::kPubAck, 1, Reason::kNotAuthorized, {}};
  ack.properties.Add(PropertyId::kReasonString, "no");
  BothWays("40 09 0001 87 05 1f 0002 6e6f", k5, ack);
  CHECK(Decode(Hex("40 04 0001 00 00"), k5));  // the long form of success is allowed
  Refused("40 02 0000", k3, Errc::kInvalid);
  Refused("40 01 00", k3);
  Refused("40 03 0001 00", k3);                  // 3.1.1 has no reason
  Refused("40 03 0001 92", k5, Errc::kInvalid);  // PUBREL's reason
  Refused("62 03 0001 97", k5, Errc::kInvalid);
}

TEST_CASE("SUBSCRIBE and SUBACK", "[mqtt]") {
  Subscribe subscribe;
  subscribe.packet_id = 10;
  subscribe.entries = {{"a/b", {Qos::kAtLeastOnce}}, {"c/d", {Qos::kExactlyOnce}}};
  BothWays("82 0e 000a 0003 612f62 01 0003 632f64 02", k3, subscribe);  // 3.1.1 figure 3.23
  Subscribe five;
  five.packet_id = 1;
  five.properties.Add(PropertyId::kSubscriptionIdentifier, 7);
  five.entries = {{"a", {Qos::kAtLeastOnce, true, true, RetainHandling::kDoNotSend}}};
  BothWays("82 09 0001 02 0b 07 0001 61 2d", k5, five);
  BothWays("90 05 000a 00 02 80", k3,
           SubAck{10, {}, {Reason::kSuccess, Reason::kGrantedQos2, Reason::kUnspecifiedError}});
  BothWays("90 05 000a 00 01 87", k5,
           SubAck{10, {}, {Reason::kGrantedQos1, Reason::kNotAuthorized}});
  CHECK(EncodeHex(Encode(SubAck{1, {}, {Reason::kNotAuthorized}}, k3)) == "9003000180");

  Refused("82 02 000a", k3, Errc::kInvalid);  // no filter
  Refused("82 06 0000 0001 61 00", k3, Errc::kInvalid);
  Refused("82 06 000a 0001 61 03", k3);     // QoS 3
  Refused("82 06 000a 0001 61 04", k3);     // reserved in 3.1.1
  Refused("82 07 000a 00 0001 61 30", k5);  // retain handling 3
  Refused("82 07 000a 00 0001 61 40", k5);  // reserved
  Refused("82 05 000a 0001 61", k3);        // no options
  Refused("90 02 000a", k3, Errc::kInvalid);
  Refused("90 03 000a 03", k3, Errc::kInvalid);
  Refused("90 03 000a 87", k3, Errc::kInvalid);
}

TEST_CASE("UNSUBSCRIBE and UNSUBACK", "[mqtt]") {
  BothWays("a2 0c 000a 0003 612f62 0003 632f64", k3, Unsubscribe{10, {}, {"a/b", "c/d"}});
  BothWays("a2 06 000a 00 0001 61", k5, Unsubscribe{10, {}, {"a"}});
  BothWays("b0 02 000a", k3, UnsubAck{10, {}, {}});
  BothWays("b0 05 000a 00 00 11", k5,
           UnsubAck{10, {}, {Reason::kSuccess, Reason::kNoSubscriptionExisted}});
  Refused("a2 02 000a", k3, Errc::kInvalid);
  Refused("b0 03 000a 00", k5, Errc::kInvalid);
  Refused("b0 03 000a 00", k3);
}

TEST_CASE("PINGREQ, PINGRESP, DISCONNECT, AUTH", "[mqtt]") {
  BothWays("c0 00", k3, PingReq{});
  BothWays("d0 00", k5, PingResp{});
  BothWays("e0 00", k3, Disconnect{});
  BothWays("e0 00", k5, Disconnect{});
  BothWays("e0 01 8e", k5, Disconnect{Reason::kSessionTakenOver, {}});
  Disconnect disconnect{Reason::kDisconnectWithWill, {}};
  disconnect.properties.Add(PropertyId::kSessionExpiryInterval, 1);
  BothWays("e0 07 04 05 11 00000001", k5, disconnect);
  Auth auth{Reason::kContinueAuthentication, {}};
  auth.properties.Add(PropertyId::kAuthenticationMethod, "m");
  BothWays("f0 06 18 04 15 0001 6d", k5, auth);
  BothWays("f0 00", k5, Auth{});
  Refused("c0 01 00", k3);
  Refused("e0 01 00", k3);
  Refused("e0 01 01", k5, Errc::kInvalid);
  Refused("f0 00", k3);
}

TEST_CASE("decoding: no packet, cut anywhere or with any byte changed, does harm", "[mqtt]") {
  Connect connect;
  connect.client_id = "client";
  connect.will = Will{"w", "x", Qos::kAtLeastOnce, true, {}};
  connect.properties.AddUser("a", "b").Add(PropertyId::kReceiveMaximum, 3);
  Subscribe subscribe;
  subscribe.packet_id = 3;
  subscribe.entries = {{"a/+", {}}, {"$share/g/#", {}}};
  Publish publish;
  publish.topic = "t";
  publish.qos = Qos::kAtLeastOnce;
  publish.packet_id = 9;
  publish.properties.Add(PropertyId::kCorrelationData, "id");
  for (const Packet& packet : {Packet(connect), Packet(subscribe), Packet(publish)}) {
    const Bytes whole = Encode(packet, k5);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CHECK_FALSE(Decode(whole.substr(0, size), k5));
    }
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        Bytes changed = whole;
        changed[at] = static_cast<char>(value);
        // What is accepted can be written again, and reads as the same.
        if (auto decoded = Decode(changed, k5)) {
          const auto* as_connect = std::get_if<Connect>(&*decoded);
          const Version version = as_connect != nullptr ? as_connect->version : k5;
          const auto again = Decode(Encode(*decoded, version), version);
          REQUIRE(again);
          CHECK(*again == *decoded);
        }
      }
    }
  }
}

}  // namespace
}  // namespace mig::mqtt
