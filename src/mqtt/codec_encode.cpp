#include "mqtt/codec.h"
#include "mqtt/wire.h"

namespace mig::mqtt {
namespace {

void AppendIf5(Bytes& out, Version version, const Properties& properties) {
  if (version == Version::k5) AppendProperties(out, properties);
}

// Reason and properties where both may be left out (sections 3.4.2.1, 3.14.2.1, 3.15.2.1).
void AppendShortReason(Bytes& out, Version version, Reason reason, const Properties& properties) {
  if (version != Version::k5 || (reason == Reason::kSuccess && properties.empty())) return;
  out.push_back(static_cast<char>(reason));
  if (!properties.empty()) AppendProperties(out, properties);
}

// One overload for each packet: returns the first byte, appends the body.
std::uint8_t First(PacketType type, unsigned flags = 0) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags);
}

std::uint8_t Body(Bytes& out, const Connect& connect, Version) {
  AppendText(out, "MQTT");
  out.push_back(static_cast<char>(connect.version));
  unsigned flags = connect.clean_start ? 0x02 : 0;
  if (connect.will) {
    flags |= 0x04 | static_cast<unsigned>(connect.will->qos) << 3;
    if (connect.will->retain) flags |= 0x20;
  }
  if (connect.password) flags |= 0x40;
  if (connect.user_name) flags |= 0x80;
  out.push_back(static_cast<char>(flags));
  AppendTwoBytes(out, connect.keep_alive_seconds);
  AppendIf5(out, connect.version, connect.properties);
  AppendText(out, connect.client_id);
  if (connect.will) {
    AppendIf5(out, connect.version, connect.will->properties);
    AppendText(out, connect.will->topic);
    AppendText(out, connect.will->payload);
  }
  if (connect.user_name) AppendText(out, *connect.user_name);
  if (connect.password) AppendText(out, *connect.password);
  return First(PacketType::kConnect);
}

std::uint8_t Body(Bytes& out, const ConnAck& ack, Version version) {
  out.push_back(ack.session_present ? 1 : 0);
  out.push_back(static_cast<char>(ack.code));
  AppendIf5(out, version, ack.properties);
  return First(PacketType::kConnAck);
}

std::uint8_t Body(Bytes& out, const Publish& publish, Version version) {
  AppendText(out, publish.topic);
  if (publish.qos != Qos::kAtMostOnce) AppendTwoBytes(out, publish.packet_id);
  AppendIf5(out, version, publish.properties);
  out += publish.payload;
  return First(PacketType::kPublish, (publish.dup ? 8U : 0U) |
                                         static_cast<unsigned>(publish.qos) << 1 |
                                         (publish.retain ? 1U : 0U));
}

std::uint8_t Body(Bytes& out, const Ack& ack, Version version) {
  AppendTwoBytes(out, ack.packet_id);
  AppendShortReason(out, version, ack.reason, ack.properties);
  return First(ack.type, ack.type == PacketType::kPubRel ? 2 : 0);
}

std::uint8_t Body(Bytes& out, const Subscribe& subscribe, Version version) {
  AppendTwoBytes(out, subscribe.packet_id);
  AppendIf5(out, version, subscribe.properties);
  for (const Subscribe::Entry& entry : subscribe.entries) {
    AppendText(out, entry.filter);
    out.push_back(static_cast<char>(version == Version::k5
                                        ? EncodeOptions(entry.options)
                                        : static_cast<std::uint8_t>(entry.options.qos)));
  }
  return First(PacketType::kSubscribe, 2);
}

std::uint8_t Body(Bytes& out, const SubAck& ack, Version version) {
  AppendTwoBytes(out, ack.packet_id);
  AppendIf5(out, version, ack.properties);
  for (const Reason reason : ack.reasons) {
    // 3.1.1 knows one failure.
    const Reason sent =
        version == Version::k311 && IsError(reason) ? Reason::kUnspecifiedError : reason;
    out.push_back(static_cast<char>(sent));
  }
  return First(PacketType::kSubAck);
}

std::uint8_t Body(Bytes& out, const Unsubscribe& unsubscribe, Version version) {
  AppendTwoBytes(out, unsubscribe.packet_id);
  AppendIf5(out, version, unsubscribe.properties);
  for (const std::string& filter : unsubscribe.filters) AppendText(out, filter);
  return First(PacketType::kUnsubscribe, 2);
}

std::uint8_t Body(Bytes& out, const UnsubAck& ack, Version version) {
  AppendTwoBytes(out, ack.packet_id);
  if (version == Version::k5) {
    AppendProperties(out, ack.properties);
    for (const Reason reason : ack.reasons) out.push_back(static_cast<char>(reason));
  }
  return First(PacketType::kUnsubAck);
}

std::uint8_t Body(Bytes&, const PingReq&, Version) { return First(PacketType::kPingReq); }

std::uint8_t Body(Bytes&, const PingResp&, Version) { return First(PacketType::kPingResp); }

std::uint8_t Body(Bytes& out, const Disconnect& disconnect, Version version) {
  AppendShortReason(out, version, disconnect.reason, disconnect.properties);
  return First(PacketType::kDisconnect);
}

std::uint8_t Body(Bytes& out, const Auth& auth, Version version) {
  AppendShortReason(out, version, auth.reason, auth.properties);
  return First(PacketType::kAuth);
}

}  // namespace

std::uint8_t EncodeOptions(const SubscribeOptions& options) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(options.qos) |
                                   (options.no_local ? 4U : 0U) |
                                   (options.retain_as_published ? 8U : 0U) |
                                   static_cast<unsigned>(options.retain_handling) << 4);
}

void AppendPacket(Bytes& out, const Packet& packet, Version version) {
  Bytes body;
  const std::uint8_t first =
      std::visit([&](const auto& p) { return Body(body, p, version); }, packet);
  out.push_back(static_cast<char>(first));
  AppendVariable(out, static_cast<std::uint32_t>(body.size()));
  out += body;
}

Bytes Encode(const Packet& packet, Version version) {
  Bytes out;
  AppendPacket(out, packet, version);
  return out;
}

}  // namespace mig::mqtt
