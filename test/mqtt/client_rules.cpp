#include "test/mqtt/client_rules.h"

#include "mqtt/topic.h"

namespace mig::mqtt {

void ClientRules::Sent(const Packet& packet) {
  if (const auto* connect = std::get_if<Connect>(&packet)) {
    const Properties& p = connect->properties;
    receive_maximum_ = p.Number(PropertyId::kReceiveMaximum).value_or(0xFFFF);
    const auto max_packet = p.Number(PropertyId::kMaximumPacketSize);
    if (max_packet && *max_packet > 0) max_packet_ = *max_packet;  // 0 is an error, and no limit
    alias_maximum_ = p.Number(PropertyId::kTopicAliasMaximum).value_or(0);
    wants_response_information_ = p.Number(PropertyId::kRequestResponseInformation) == 1;
    wants_problem_information_ = p.Number(PropertyId::kRequestProblemInformation) != 0;
    has_auth_method_ = p.Find(PropertyId::kAuthenticationMethod) != nullptr;
  } else if (const auto* ack = std::get_if<Ack>(&packet)) {
    if (ack->type == PacketType::kPubAck || ack->type == PacketType::kPubComp ||
        (ack->type == PacketType::kPubRec && IsError(ack->reason))) {
      outstanding_.erase(ack->packet_id);
    }
  } else if (const auto* subscribe = std::get_if<Subscribe>(&packet)) {
    asked_.insert(subscribe->packet_id);
  } else if (const auto* unsubscribe = std::get_if<Unsubscribe>(&packet)) {
    asked_.insert(unsubscribe->packet_id);
  }
}

std::string ClientRules::Got(const Packet& packet, std::size_t bytes) {
  if (disconnected_) return "a packet after DISCONNECT [MQTT-3.14.4-1]";
  if (bytes > max_packet_) return "beyond the client's Maximum Packet Size [MQTT-3.1.2-24]";
  if (const auto* ack = std::get_if<ConnAck>(&packet)) return GotConnAck(*ack);
  if (!connected_) return "a packet before CONNACK [MQTT-3.2.0-1]";
  if (const auto* publish = std::get_if<Publish>(&packet)) return GotPublish(*publish);
  if (const auto* disconnect = std::get_if<Disconnect>(&packet)) {
    disconnected_ = true;
    if (version_ == Version::k311) return "DISCONNECT from a server of 3.1.1";
    if (disconnect->properties.Find(PropertyId::kSessionExpiryInterval) != nullptr) {
      return "a session expiry from the server [MQTT-3.14.2-2]";
    }
    return {};
  }
  const Properties* remarks = nullptr;
  if (const auto* ack = std::get_if<Ack>(&packet)) remarks = &ack->properties;
  std::uint16_t answered = 0;
  if (const auto* ack = std::get_if<SubAck>(&packet)) {
    remarks = &ack->properties;
    answered = ack->packet_id;
  }
  if (const auto* ack = std::get_if<UnsubAck>(&packet)) {
    remarks = &ack->properties;
    answered = ack->packet_id;
  }
  if (remarks == nullptr && !std::holds_alternative<PingResp>(packet)) {
    return "a packet that only clients send, or AUTH [MQTT-4.12.0-6]";
  }
  if (answered != 0 && asked_.erase(answered) == 0) {
    return "an answer to what was not asked [MQTT-2.2.1-6]";
  }
  if (!wants_problem_information_ && remarks != nullptr && !remarks->empty()) {
    return "problem information that was not wanted [MQTT-3.1.2-29]";
  }
  return {};
}

std::string ClientRules::GotConnAck(const ConnAck& ack) {
  if (answered_) return "a second CONNACK [MQTT-3.2.0-2]";
  answered_ = true;
  connected_ = ack.code == 0;
  resumed_ = ack.session_present;
  if (ack.session_present && ack.code != 0) return "session present in a refusal [MQTT-3.2.2-6]";
  if (!wants_response_information_ &&
      ack.properties.Find(PropertyId::kResponseInformation) != nullptr) {
    return "response information that was not wanted [MQTT-3.1.2-28]";
  }
  if (!has_auth_method_ && ack.properties.Find(PropertyId::kAuthenticationMethod) != nullptr) {
    return "an authentication method that was not asked for [MQTT-4.12.0-6]";
  }
  return {};
}

std::string ClientRules::GotPublish(const Publish& publish) {
  if (publish.dup && publish.qos == Qos::kAtMostOnce) return "DUP at QoS 0 [MQTT-3.3.1-2]";
  if (publish.dup && !resumed_) return "DUP in a session that is new [MQTT-3.3.1-3]";
  if (const auto alias = publish.properties.Number(PropertyId::kTopicAlias)) {
    if (*alias == 0 || *alias > alias_maximum_) return "topic alias too high [MQTT-3.1.2-26]";
    if (!publish.topic.empty()) aliases_[*alias] = publish.topic;
    if (!aliases_.contains(*alias)) return "a topic alias that was never set [MQTT-3.3.2-7]";
  }
  if (!CheckTopicName(TopicOf(publish))) return "no topic name [MQTT-3.3.2-2]";
  if (publish.qos == Qos::kAtMostOnce) return {};
  if (!outstanding_.insert(publish.packet_id).second) {
    return "a packet identifier that is in use [MQTT-2.2.1-4]";
  }
  if (outstanding_.size() > receive_maximum_) return "beyond Receive Maximum [MQTT-3.3.4-9]";
  return {};
}

std::string ClientRules::TopicOf(const Publish& publish) const {
  if (!publish.topic.empty()) return publish.topic;
  const auto alias = publish.properties.Number(PropertyId::kTopicAlias);
  const auto known = aliases_.find(alias.value_or(0));
  return known == aliases_.end() ? std::string() : known->second;
}

}  // namespace mig::mqtt
