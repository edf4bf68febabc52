#include <algorithm>
#include <array>
#include <string>

#include "mqtt/codec.h"
#include "mqtt/wire.h"

namespace mig::mqtt {
namespace {

constexpr std::size_t kMaxHeaderBytes = 5;

// Which reasons a packet may carry; MQTT 5.0 table 2-6.
bool IsReasonOf(PacketType type, std::uint8_t code) {
  using enum Reason;
  constexpr std::array kPubAckReasons{kSuccess,
                                      kNoMatchingSubscribers,
                                      kUnspecifiedError,
                                      kImplementationSpecificError,
                                      kNotAuthorized,
                                      kTopicNameInvalid,
                                      kPacketIdentifierInUse,
                                      kQuotaExceeded,
                                      kPayloadFormatInvalid};
  constexpr std::array kPubRelReasons{kSuccess, kPacketIdentifierNotFound};
  constexpr std::array kSubAckReasons{kSuccess,
                                      kGrantedQos1,
                                      kGrantedQos2,
                                      kUnspecifiedError,
                                      kImplementationSpecificError,
                                      kNotAuthorized,
                                      kTopicFilterInvalid,
                                      kPacketIdentifierInUse,
                                      kQuotaExceeded,
                                      kSharedSubscriptionsNotSupported,
                                      kSubscriptionIdentifiersNotSupported,
                                      kWildcardSubscriptionsNotSupported};
  constexpr std::array kUnsubAckReasons{
      kSuccess,       kNoSubscriptionExisted, kUnspecifiedError,     kImplementationSpecificError,
      kNotAuthorized, kTopicFilterInvalid,    kPacketIdentifierInUse};
  constexpr std::array kAuthReasons{kSuccess, kContinueAuthentication, kReauthenticate};
  constexpr std::array kConnAckReasons{kSuccess,
                                       kUnspecifiedError,
                                       kMalformedPacket,
                                       kProtocolError,
                                       kImplementationSpecificError,
                                       kUnsupportedProtocolVersion,
                                       kClientIdentifierNotValid,
                                       kBadUserNameOrPassword,
                                       kNotAuthorized,
                                       kServerUnavailable,
                                       kServerBusy,
                                       kBanned,
                                       kBadAuthenticationMethod,
                                       kTopicNameInvalid,
                                       kPacketTooLarge,
                                       kQuotaExceeded,
                                       kPayloadFormatInvalid,
                                       kRetainNotSupported,
                                       kQosNotSupported,
                                       kUseAnotherServer,
                                       kServerMoved,
                                       kConnectionRateExceeded};
  constexpr std::array kDisconnectReasons{kSuccess,
                                          kDisconnectWithWill,
                                          kUnspecifiedError,
                                          kMalformedPacket,
                                          kProtocolError,
                                          kImplementationSpecificError,
                                          kNotAuthorized,
                                          kServerBusy,
                                          kServerShuttingDown,
                                          kBadAuthenticationMethod,
                                          kKeepAliveTimeout,
                                          kSessionTakenOver,
                                          kTopicFilterInvalid,
                                          kTopicNameInvalid,
                                          kReceiveMaximumExceeded,
                                          kTopicAliasInvalid,
                                          kPacketTooLarge,
                                          kMessageRateTooHigh,
                                          kQuotaExceeded,
                                          kAdministrativeAction,
                                          kPayloadFormatInvalid,
                                          kRetainNotSupported,
                                          kQosNotSupported,
                                          kUseAnotherServer,
                                          kServerMoved,
                                          kSharedSubscriptionsNotSupported,
                                          kConnectionRateExceeded,
                                          kMaximumConnectTime,
                                          kSubscriptionIdentifiersNotSupported,
                                          kWildcardSubscriptionsNotSupported};
  const auto within = [code](const auto& reasons) {
    return std::ranges::find(reasons, static_cast<Reason>(code)) != reasons.end();
  };
  switch (type) {
    case PacketType::kConnAck:
      return within(kConnAckReasons);
    case PacketType::kPubAck:
    case PacketType::kPubRec:
      return within(kPubAckReasons);
    case PacketType::kPubRel:
    case PacketType::kPubComp:
      return within(kPubRelReasons);
    case PacketType::kSubAck:
      return within(kSubAckReasons);
    case PacketType::kUnsubAck:
      return within(kUnsubAckReasons);
    case PacketType::kDisconnect:
      return within(kDisconnectReasons);
    case PacketType::kAuth:
      return within(kAuthReasons);
    default:
      return false;
  }
}

Reason ReadReason(Reader& reader, PacketType type) {
  const std::uint8_t code = reader.Byte();
  if (reader.ok() && !IsReasonOf(type, code)) {
    reader.Fail(Errc::kInvalid, "reason code " + std::to_string(code) + " does not belong here");
  }
  return static_cast<Reason>(code);
}

std::uint16_t ReadPacketId(Reader& reader) {
  const std::uint16_t id = reader.TwoBytes();
  if (reader.ok() && id == 0) reader.Fail(Errc::kInvalid, "packet identifier 0");
  return id;
}

Properties ReadIf5(Reader& reader, Version version, PropertyPlace place) {
  return version == Version::k5 ? ReadProperties(reader, place) : Properties{};
}

constexpr std::uint8_t kCleanStartFlag = 0x02;
constexpr std::uint8_t kWillFlag = 0x04;
constexpr std::uint8_t kWillRetainFlag = 0x20;
constexpr std::uint8_t kPasswordFlag = 0x40;
constexpr std::uint8_t kUserNameFlag = 0x80;

Packet ReadConnect(Reader& reader) {
  Connect connect;
  const std::string_view name = reader.Text();
  const std::uint8_t level = reader.Byte();
  if (!reader.ok()) return connect;
  // Level and name are read first: a peer of another version may have anything after them.
  if (name != "MQTT" || (level != 4 && level != 5)) {
    reader.Fail(Errc::kUnsupported, "protocol version " + std::to_string(level) +
                                        "; MQTT 3.1.1 and 5.0 are spoken here");
    return connect;
  }
  connect.version = static_cast<Version>(level);
  const std::uint8_t flags = reader.Byte();
  const unsigned will_qos = flags >> 3 & 3;
  const bool has_will = (flags & kWillFlag) != 0;
  if ((flags & 1) != 0) reader.Fail(Errc::kMalformed, "the reserved CONNECT flag is set");
  if (will_qos == 3) reader.Fail(Errc::kMalformed, "will QoS 3");
  if (!has_will && (will_qos != 0 || (flags & kWillRetainFlag) != 0)) {
    reader.Fail(Errc::kMalformed, "will QoS or will retain without a will");
  }
  if (connect.version == Version::k311 && (flags & kUserNameFlag) == 0 &&
      (flags & kPasswordFlag) != 0) {
    reader.Fail(Errc::kMalformed, "a password without a user name");  // 3.1.1 [MQTT-3.1.2-22]
  }
  connect.clean_start = (flags & kCleanStartFlag) != 0;
  connect.keep_alive_seconds = reader.TwoBytes();
  connect.properties = ReadIf5(reader, connect.version, PropertyPlace::kConnect);
  if (connect.properties.Find(PropertyId::kAuthenticationData) != nullptr &&
      connect.properties.Find(PropertyId::kAuthenticationMethod) == nullptr) {
    reader.Fail(Errc::kInvalid, "authentication data without a method");  // section 3.1.2.11.10
  }
  connect.client_id = reader.Text();
  if (has_will) {
    Will& will = connect.will.emplace();
    will.qos = static_cast<Qos>(will_qos);
    will.retain = (flags & kWillRetainFlag) != 0;
    will.properties = ReadIf5(reader, connect.version, PropertyPlace::kWill);
    will.topic = reader.Text();
    will.payload = reader.Binary();
  }
  if ((flags & kUserNameFlag) != 0) connect.user_name = reader.Text();
  if ((flags & kPasswordFlag) != 0) connect.password = reader.Binary();
  return connect;
}

Packet ReadConnAck(Reader& reader, Version version) {
  ConnAck ack;
  const std::uint8_t flags = reader.Byte();
  if (flags > 1) reader.Fail(Errc::kMalformed, "reserved CONNACK flags are set");
  ack.session_present = flags == 1;
  if (version == Version::k5) {
    ack.code = static_cast<std::uint8_t>(ReadReason(reader, PacketType::kConnAck));
    ack.properties = ReadProperties(reader, PropertyPlace::kConnAck);
  } else {
    ack.code = reader.Byte();
    if (ack.code > 5) reader.Fail(Errc::kInvalid, "a reserved CONNACK return code");
  }
  if (ack.session_present && ack.code != 0) {
    reader.Fail(Errc::kInvalid, "session present in a refusal");  // [MQTT-3.2.2-6]
  }
  return ack;
}

Packet ReadPublish(Reader& reader, std::uint8_t flags, Version version) {
  Publish publish;
  publish.dup = (flags & 8) != 0;
  publish.retain = (flags & 1) != 0;
  const unsigned qos = flags >> 1 & 3;
  if (qos == 3) reader.Fail(Errc::kMalformed, "QoS 3");  // [MQTT-3.3.1-4]
  publish.qos = static_cast<Qos>(qos);
  if (publish.dup && qos == 0) reader.Fail(Errc::kMalformed, "DUP with QoS 0");  // [MQTT-3.3.1-2]
  publish.topic = reader.Text();
  if (qos > 0) publish.packet_id = ReadPacketId(reader);
  publish.properties = ReadIf5(reader, version, PropertyPlace::kPublish);
  if (reader.ok() && publish.topic.empty() &&
      publish.properties.Find(PropertyId::kTopicAlias) == nullptr) {
    reader.Fail(version == Version::k5 ? Errc::kInvalid : Errc::kMalformed,
                "an empty topic name");  // section 3.3.2.1, [MQTT-4.7.3-1]
  }
  publish.payload = reader.Rest();
  return publish;
}

Packet ReadAck(Reader& reader, PacketType type, Version version) {
  Ack ack;
  ack.type = type;
  ack.packet_id = ReadPacketId(reader);
  // "The Reason Code and Property Length can be omitted if the Reason Code is 0x00 and there are
  // no Properties"; the length also when it would be the last byte (sections 3.4.2.1, 3.4.2.2).
  if (version == Version::k5 && reader.Remaining() > 0) {
    ack.reason = ReadReason(reader, type);
    if (reader.Remaining() > 0) {
      ack.properties = ReadProperties(reader, static_cast<PropertyPlace>(type));
    }
  }
  return ack;
}

Packet ReadSubscribe(Reader& reader, Version version) {
  Subscribe subscribe;
  subscribe.packet_id = ReadPacketId(reader);
  subscribe.properties = ReadIf5(reader, version, PropertyPlace::kSubscribe);
  while (reader.ok() && !reader.AtEnd()) {
    Subscribe::Entry entry;
    entry.filter = reader.Text();
    const std::uint8_t byte = reader.Byte();
    if (!reader.ok()) break;
    auto options = DecodeOptions(byte);
    if (!options || (version == Version::k311 && byte > 2)) {
      reader.Fail(Errc::kMalformed, "reserved bits in subscription options");
      break;
    }
    entry.options = *options;
    subscribe.entries.push_back(std::move(entry));
  }
  if (reader.ok() && subscribe.entries.empty()) {
    reader.Fail(Errc::kInvalid, "SUBSCRIBE without a topic filter");  // [MQTT-3.8.3-2]
  }
  return subscribe;
}

Packet ReadSubAck(Reader& reader, Version version) {
  SubAck ack;
  ack.packet_id = ReadPacketId(reader);
  ack.properties = ReadIf5(reader, version, PropertyPlace::kSubAck);
  while (reader.ok() && !reader.AtEnd()) {
    const Reason reason = ReadReason(reader, PacketType::kSubAck);
    if (version == Version::k311 && static_cast<std::uint8_t>(reason) > 0x80) {
      reader.Fail(Errc::kInvalid, "a reserved SUBACK return code");  // [MQTT-3.9.3-2]
    }
    ack.reasons.push_back(reason);
  }
  if (reader.ok() && ack.reasons.empty()) {
    reader.Fail(Errc::kInvalid, "SUBACK without a reason code");
  }
  return ack;
}

Packet ReadUnsubscribe(Reader& reader, Version version) {
  Unsubscribe unsubscribe;
  unsubscribe.packet_id = ReadPacketId(reader);
  unsubscribe.properties = ReadIf5(reader, version, PropertyPlace::kUnsubscribe);
  while (reader.ok() && !reader.AtEnd()) unsubscribe.filters.emplace_back(reader.Text());
  if (reader.ok() && unsubscribe.filters.empty()) {
    reader.Fail(Errc::kInvalid, "UNSUBSCRIBE without a topic filter");  // [MQTT-3.10.3-2]
  }
  return unsubscribe;
}

Packet ReadUnsubAck(Reader& reader, Version version) {
  UnsubAck ack;
  ack.packet_id = ReadPacketId(reader);
  if (version == Version::k311) return ack;
  ack.properties = ReadProperties(reader, PropertyPlace::kUnsubAck);
  while (reader.ok() && !reader.AtEnd()) {
    ack.reasons.push_back(ReadReason(reader, PacketType::kUnsubAck));
  }
  if (reader.ok() && ack.reasons.empty()) {
    reader.Fail(Errc::kInvalid, "UNSUBACK without a reason code");
  }
  return ack;
}

Packet ReadDisconnect(Reader& reader, Version version) {
  Disconnect disconnect;
  if (version == Version::k5 && reader.Remaining() > 0) {
    disconnect.reason = ReadReason(reader, PacketType::kDisconnect);
    if (reader.Remaining() > 0) {
      disconnect.properties = ReadProperties(reader, PropertyPlace::kDisconnect);
    }
  }
  return disconnect;
}

Packet ReadAuth(Reader& reader, Version version) {
  Auth auth;
  if (version != Version::k5) {
    reader.Fail(Errc::kMalformed, "AUTH is not a packet of MQTT 3.1.1");
  } else if (reader.Remaining() > 0) {
    auth.reason = ReadReason(reader, PacketType::kAuth);
    if (reader.Remaining() > 0) auth.properties = ReadProperties(reader, PropertyPlace::kAuth);
  }
  return auth;
}

Packet ReadBody(Reader& reader, const FixedHeader& header, Version version) {
  switch (header.type()) {
    case PacketType::kConnect:
      return ReadConnect(reader);
    case PacketType::kConnAck:
      return ReadConnAck(reader, version);
    case PacketType::kPublish:
      return ReadPublish(reader, header.first_byte & 0x0F, version);
    case PacketType::kPubAck:
    case PacketType::kPubRec:
    case PacketType::kPubRel:
    case PacketType::kPubComp:
      return ReadAck(reader, header.type(), version);
    case PacketType::kSubscribe:
      return ReadSubscribe(reader, version);
    case PacketType::kSubAck:
      return ReadSubAck(reader, version);
    case PacketType::kUnsubscribe:
      return ReadUnsubscribe(reader, version);
    case PacketType::kUnsubAck:
      return ReadUnsubAck(reader, version);
    case PacketType::kPingReq:
      return PingReq{};
    case PacketType::kPingResp:
      return PingResp{};
    case PacketType::kDisconnect:
      return ReadDisconnect(reader, version);
    case PacketType::kAuth:
      return ReadAuth(reader, version);
  }
  reader.Fail(Errc::kMalformed, "packet type 0");
  return PingReq{};
}

// The low half of the first byte is fixed for all but PUBLISH (section 2.1.3).
bool FlagsAreRight(const FixedHeader& header) {
  switch (header.type()) {
    case PacketType::kPublish:
      return true;
    case PacketType::kPubRel:
    case PacketType::kSubscribe:
    case PacketType::kUnsubscribe:
      return (header.first_byte & 0x0F) == 2;
    default:
      return (header.first_byte & 0x0F) == 0;
  }
}

}  // namespace

Expected<std::optional<FixedHeader>> ReadFixedHeader(BytesView bytes) {
  FixedHeader header;
  if (bytes.empty()) return std::optional<FixedHeader>();
  header.first_byte = static_cast<std::uint8_t>(bytes[0]);
  if (header.first_byte >> 4 == 0) return Error(Errc::kMalformed, "packet type 0");
  if (!FlagsAreRight(header)) return Error(Errc::kMalformed, "reserved flags of the fixed header");
  for (std::size_t i = 1; i < kMaxHeaderBytes; ++i) {
    if (i == bytes.size()) return std::optional<FixedHeader>();
    if ((static_cast<std::uint8_t>(bytes[i]) & 0x80) == 0) {
      Reader reader(bytes.substr(1, i));
      header.body_bytes = reader.Variable();
      if (!reader.ok()) return reader.TakeError();
      header.header_bytes = i + 1;
      return std::optional<FixedHeader>(header);
    }
  }
  return Error(Errc::kMalformed, "remaining length of more than four bytes");
}

Expected<Packet> Decode(BytesView packet, Version version) {
  auto header = ReadFixedHeader(packet);
  if (!header) return std::move(header).error();
  if (!*header || (*header)->PacketBytes() != packet.size()) {
    return Error(Errc::kMalformed, "not one whole packet");
  }
  Reader reader(packet.substr((*header)->header_bytes));
  Packet decoded = ReadBody(reader, **header, version);
  if (auto ok = reader.Finish(); !ok) return std::move(ok).error();
  return decoded;
}

Expected<SubscribeOptions> DecodeOptions(std::uint8_t byte) {
  if ((byte & 3) == 3 || (byte >> 4 & 3) == 3 || (byte & 0xC0) != 0) {
    return Error(Errc::kMalformed, "subscription options " + std::to_string(byte));
  }
  SubscribeOptions options;
  options.qos = static_cast<Qos>(byte & 3);
  options.no_local = (byte & 4) != 0;
  options.retain_as_published = (byte & 8) != 0;
  options.retain_handling = static_cast<RetainHandling>(byte >> 4 & 3);
  return options;
}

}  // namespace mig::mqtt
