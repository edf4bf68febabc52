// MQTT control packets as plain structs, for versions 3.1.1 and 5.0, in both directions. How they
// stand on the wire is mqtt/codec.h; what a broker does with them is mqtt/broker.h.
// https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mqtt/property.h"
#include "mqtt/reason.h"
#include "util/bytes.h"

namespace mig::mqtt {

// The protocol level on the wire. MQTT 3.1 (level 3, "MQIsdp") is not spoken.
enum class Version : std::uint8_t { k311 = 4, k5 = 5 };

// On the wire and in stores: never renumber.
enum class Qos : std::uint8_t { kAtMostOnce = 0, kAtLeastOnce = 1, kExactlyOnce = 2 };

// The high half of the first byte.
enum class PacketType : std::uint8_t {
  kConnect = 1,
  kConnAck,
  kPublish,
  kPubAck,
  kPubRec,
  kPubRel,
  kPubComp,
  kSubscribe,
  kSubAck,
  kUnsubscribe,
  kUnsubAck,
  kPingReq,
  kPingResp,
  kDisconnect,
  kAuth,
};

struct Will {
  std::string topic;
  Bytes payload;
  Qos qos = Qos::kAtMostOnce;
  bool retain = false;
  Properties properties;

  bool operator==(const Will&) const = default;
};

struct Connect {
  Version version = Version::k5;
  bool clean_start = true;  // 3.1.1: Clean Session
  std::uint16_t keep_alive_seconds = 0;
  std::string client_id;
  std::optional<Will> will;
  std::optional<std::string> user_name;
  std::optional<Bytes> password;
  Properties properties;

  bool operator==(const Connect&) const = default;
};

struct ConnAck {
  bool session_present = false;
  std::uint8_t code = 0;  // a Reason in 5.0, a return code in 3.1.1
  Properties properties;

  bool operator==(const ConnAck&) const = default;
};

struct Publish {
  bool dup = false;
  Qos qos = Qos::kAtMostOnce;
  bool retain = false;
  std::string topic;            // may be empty in 5.0, with a topic alias
  std::uint16_t packet_id = 0;  // not zero exactly when QoS is above 0
  Properties properties;
  Bytes payload;

  bool operator==(const Publish&) const = default;
};

// PUBACK, PUBREC, PUBREL and PUBCOMP have one form.
struct Ack {
  PacketType type = PacketType::kPubAck;
  std::uint16_t packet_id = 0;
  Reason reason = Reason::kSuccess;  // 5.0 only
  Properties properties;

  bool operator==(const Ack&) const = default;
};

enum class RetainHandling : std::uint8_t { kSend = 0, kSendIfNew = 1, kDoNotSend = 2 };

struct SubscribeOptions {
  Qos qos = Qos::kAtMostOnce;
  bool no_local = false;
  bool retain_as_published = false;
  RetainHandling retain_handling = RetainHandling::kSend;

  bool operator==(const SubscribeOptions&) const = default;
};

// The options byte (section 3.8.3.1); also the form in which a store keeps them.
std::uint8_t EncodeOptions(const SubscribeOptions& options);
// Error: kMalformed for a QoS or retain handling of 3, or reserved bits.
Expected<SubscribeOptions> DecodeOptions(std::uint8_t byte);

struct Subscribe {
  struct Entry {
    std::string filter;
    SubscribeOptions options;

    bool operator==(const Entry&) const = default;
  };
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<Entry> entries;  // never empty

  bool operator==(const Subscribe&) const = default;
};

struct SubAck {
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<Reason> reasons;  // never empty; 3.1.1: 0, 1, 2 or 0x80

  bool operator==(const SubAck&) const = default;
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<std::string> filters;  // never empty

  bool operator==(const Unsubscribe&) const = default;
};

struct UnsubAck {
  std::uint16_t packet_id = 0;
  Properties properties;
  std::vector<Reason> reasons;  // empty in 3.1.1

  bool operator==(const UnsubAck&) const = default;
};

struct PingReq {
  bool operator==(const PingReq&) const = default;
};

struct PingResp {
  bool operator==(const PingResp&) const = default;
};

struct Disconnect {
  Reason reason = Reason::kSuccess;  // 5.0 only
  Properties properties;

  bool operator==(const Disconnect&) const = default;
};

struct Auth {  // 5.0 only
  Reason reason = Reason::kSuccess;
  Properties properties;

  bool operator==(const Auth&) const = default;
};

using Packet = std::variant<Connect, ConnAck, Publish, Ack, Subscribe, SubAck, Unsubscribe,
                            UnsubAck, PingReq, PingResp, Disconnect, Auth>;

}  // namespace mig::mqtt
