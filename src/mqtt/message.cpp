#include "mqtt/message.h"

#include <algorithm>

#include "mqtt/wire.h"
#include "util/text.h"

namespace mig::mqtt {

Bytes ForwardedProperties(const Properties& properties) {
  Bytes list;
  for (const Property& property : properties) {
    switch (property.id) {
      case PropertyId::kPayloadFormatIndicator:
      case PropertyId::kContentType:
      case PropertyId::kResponseTopic:
      case PropertyId::kCorrelationData:
      case PropertyId::kUserProperty:
        AppendProperty(list, property);
        break;
      default:
        break;
    }
  }
  return list;
}

bool KeepsPayloadFormat(const Properties& properties, BytesView payload) {
  return properties.Number(PropertyId::kPayloadFormatIndicator).value_or(0) != 1 || IsUtf8(payload);
}

FrameRef MakeFrame(const Message& message, const DeliveryForm& form, UtcTime now) {
  Bytes properties;
  if (form.version == Version::k5) {
    Bytes list;
    if (message.expires_at) {
      // "the value received minus the time that the message has been waiting" (3.3.2.3.3); what is
      // about to expire is told as one second, because the part of a second left is cut off.
      const auto left = std::chrono::ceil<std::chrono::seconds>(*message.expires_at - now).count();
      const auto seconds = std::clamp<std::int64_t>(left, 1, 0xFFFFFFFF);
      AppendProperty(
          list, {PropertyId::kMessageExpiryInterval, static_cast<std::uint32_t>(seconds), {}, {}});
    }
    if (form.alias != 0) AppendProperty(list, {PropertyId::kTopicAlias, form.alias, {}, {}});
    for (const std::uint32_t identifier : form.identifiers) {
      AppendProperty(list, {PropertyId::kSubscriptionIdentifier, identifier, {}, {}});
    }
    AppendVariable(properties, static_cast<std::uint32_t>(list.size() + message.properties.size()));
    properties += list;
    properties += message.properties;
  }
  const std::string_view topic = form.alias_known ? std::string_view() : message.topic;
  const bool has_id = form.qos != Qos::kAtMostOnce;
  const std::size_t body =
      2 + topic.size() + (has_id ? 2 : 0) + properties.size() + message.payload.size();
  auto frame = std::make_shared<Frame>();
  frame->bytes.reserve(5 + body);
  frame->bytes.push_back(static_cast<char>(static_cast<unsigned>(PacketType::kPublish) << 4 |
                                           static_cast<unsigned>(form.qos) << 1 |
                                           (form.retain ? 1U : 0U)));
  AppendVariable(frame->bytes, static_cast<std::uint32_t>(body));
  AppendText(frame->bytes, topic);
  if (has_id) {
    frame->packet_id_offset = frame->bytes.size();
    AppendTwoBytes(frame->bytes, 0);
  }
  frame->bytes += properties;
  frame->bytes += message.payload;
  return frame;
}

FrameRef FrameCache::Get(const MessageRef& message, const DeliveryForm& form, UtcTime now) {
  if (!form.identifiers.empty()) return MakeFrame(*message, form, now);
  if (message_ != message || now_ != now) {
    frames_ = {};
    aliased_ = {};
    message_ = message;
    now_ = now;
  }
  const std::size_t kind = static_cast<std::size_t>(form.qos) * 4 +
                           (form.version == Version::k5 ? 2U : 0U) + (form.retain ? 1U : 0U);
  if (form.alias != 0) {
    Aliased& aliased = aliased_[form.alias_known ? 1 : 0];
    if (aliased.frame == nullptr || aliased.kind != kind || aliased.alias != form.alias) {
      aliased = {kind, form.alias, MakeFrame(*message, form, now)};
    }
    return aliased.frame;
  }
  FrameRef& frame = frames_[kind];
  if (frame == nullptr) frame = MakeFrame(*message, form, now);
  return frame;
}

}  // namespace mig::mqtt
