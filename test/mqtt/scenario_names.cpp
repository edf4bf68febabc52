#include "test/mqtt/scenario_names.h"

#include <algorithm>
#include <array>

#include "test/mqtt/scenario_packet.h"

namespace mig::mqtt {
namespace {

using Form = PropertyName::Form;

struct PacketNameEntry {
  PacketType type;
  std::string_view name;
};
constexpr std::array kPacketNames{
    PacketNameEntry{PacketType::kConnect, "CONNECT"},
    PacketNameEntry{PacketType::kConnAck, "CONNACK"},
    PacketNameEntry{PacketType::kPublish, "PUBLISH"},
    PacketNameEntry{PacketType::kPubAck, "PUBACK"},
    PacketNameEntry{PacketType::kPubRec, "PUBREC"},
    PacketNameEntry{PacketType::kPubRel, "PUBREL"},
    PacketNameEntry{PacketType::kPubComp, "PUBCOMP"},
    PacketNameEntry{PacketType::kSubscribe, "SUBSCRIBE"},
    PacketNameEntry{PacketType::kSubAck, "SUBACK"},
    PacketNameEntry{PacketType::kUnsubscribe, "UNSUBSCRIBE"},
    PacketNameEntry{PacketType::kUnsubAck, "UNSUBACK"},
    PacketNameEntry{PacketType::kPingReq, "PINGREQ"},
    PacketNameEntry{PacketType::kPingResp, "PINGRESP"},
    PacketNameEntry{PacketType::kDisconnect, "DISCONNECT"},
    PacketNameEntry{PacketType::kAuth, "AUTH"},
};

constexpr std::array kPropertyNames{
    PropertyName{"format", PropertyId::kPayloadFormatIndicator, Form::kNumber},
    PropertyName{"expiry", PropertyId::kMessageExpiryInterval, Form::kNumber},
    PropertyName{"content-type", PropertyId::kContentType, Form::kText},
    PropertyName{"response-topic", PropertyId::kResponseTopic, Form::kText},
    PropertyName{"correlation", PropertyId::kCorrelationData, Form::kText},
    PropertyName{"subscription-id", PropertyId::kSubscriptionIdentifier, Form::kNumber},
    PropertyName{"session-expiry", PropertyId::kSessionExpiryInterval, Form::kNumber},
    PropertyName{"assigned-client-id", PropertyId::kAssignedClientIdentifier, Form::kText},
    PropertyName{"server-keep-alive", PropertyId::kServerKeepAlive, Form::kNumber},
    PropertyName{"auth-method", PropertyId::kAuthenticationMethod, Form::kText},
    PropertyName{"auth-data", PropertyId::kAuthenticationData, Form::kText},
    PropertyName{"request-problem", PropertyId::kRequestProblemInformation, Form::kNumber},
    PropertyName{"delay", PropertyId::kWillDelayInterval, Form::kNumber},
    PropertyName{"request-response", PropertyId::kRequestResponseInformation, Form::kNumber},
    PropertyName{"response-information", PropertyId::kResponseInformation, Form::kText},
    PropertyName{"server-reference", PropertyId::kServerReference, Form::kText},
    PropertyName{"reason-string", PropertyId::kReasonString, Form::kText},
    PropertyName{"receive-maximum", PropertyId::kReceiveMaximum, Form::kNumber},
    PropertyName{"alias-maximum", PropertyId::kTopicAliasMaximum, Form::kNumber},
    PropertyName{"alias", PropertyId::kTopicAlias, Form::kNumber},
    PropertyName{"maximum-qos", PropertyId::kMaximumQos, Form::kNumber},
    PropertyName{"retain-available", PropertyId::kRetainAvailable, Form::kNumber},
    PropertyName{"user", PropertyId::kUserProperty, Form::kPair},
    PropertyName{"maximum-packet", PropertyId::kMaximumPacketSize, Form::kNumber},
    PropertyName{"wildcard-available", PropertyId::kWildcardSubscriptionAvailable, Form::kNumber},
    PropertyName{"subscription-ids-available", PropertyId::kSubscriptionIdentifierAvailable,
                 Form::kNumber},
    PropertyName{"shared-available", PropertyId::kSharedSubscriptionAvailable, Form::kNumber},
};

}  // namespace

const PropertyName* FindProperty(std::string_view name) {
  const auto* found = std::ranges::find(kPropertyNames, name, &PropertyName::name);
  return found == kPropertyNames.end() ? nullptr : found;
}

const PropertyName* FindProperty(PropertyId id) {
  const auto* found = std::ranges::find(kPropertyNames, id, &PropertyName::id);
  return found == kPropertyNames.end() ? nullptr : found;
}

std::optional<PacketType> PacketTypeOf(std::string_view name) {
  const auto* found = std::ranges::find(kPacketNames, name, &PacketNameEntry::name);
  if (found == kPacketNames.end()) return std::nullopt;
  return found->type;
}

std::string_view PacketName(PacketType type) {
  return std::ranges::find(kPacketNames, type, &PacketNameEntry::type)->name;
}

PacketType TypeOf(const Packet& packet) {
  if (const auto* ack = std::get_if<Ack>(&packet)) return ack->type;
  // In the order of the variant; Ack, which stands for four, is answered above.
  constexpr std::array kTypes{
      PacketType::kConnect,     PacketType::kConnAck,    PacketType::kPublish,
      PacketType::kPubAck,      PacketType::kSubscribe,  PacketType::kSubAck,
      PacketType::kUnsubscribe, PacketType::kUnsubAck,   PacketType::kPingReq,
      PacketType::kPingResp,    PacketType::kDisconnect, PacketType::kAuth};
  static_assert(kTypes.size() == std::variant_size_v<Packet>);
  return kTypes[packet.index()];
}

}  // namespace mig::mqtt
