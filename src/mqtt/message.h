// One message within the broker, shared by everybody whom it reaches, and its form on the wire:
// a PUBLISH is serialised once for each kind of receiver, and only the packet identifier (and DUP)
// is written for each of them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "mqtt/packet.h"
#include "util/bytes.h"
#include "util/clock.h"

namespace mig::mqtt {

// Names a message in the store. Counts up, also across restarts; 0: it has no row.
using MessageId = std::uint64_t;

struct Message {
  MessageId id = 0;
  std::string topic;
  Bytes payload;
  Bytes properties;  // what is passed on to receivers (without expiry and subscription identifiers)
  Qos qos = Qos::kAtMostOnce;
  bool retain = false;  // as published
  std::optional<UtcTime> expires_at;

  // What a queue is charged for it.
  std::size_t Size() const { return topic.size() + payload.size() + properties.size(); }
  bool Expired(UtcTime now) const { return expires_at && *expires_at <= now; }
};

using MessageRef = std::shared_ptr<const Message>;

// The properties of a PUBLISH or will that its receivers get (sections 3.3.2.3.2 ff.), encoded.
// The time of expiry is not among them, because it counts down.
Bytes ForwardedProperties(const Properties& properties);

// False if the properties say that the payload is UTF-8 text (section 3.3.2.3.2) and it is not.
bool KeepsPayloadFormat(const Properties& properties, BytesView payload);

// The bytes of a PUBLISH for any receiver of its kind.
struct Frame {
  Bytes bytes;
  std::size_t packet_id_offset = 0;  // 0 with QoS 0
};

using FrameRef = std::shared_ptr<const Frame>;

// How one delivery of a message differs from others.
struct DeliveryForm {
  Version version = Version::k5;
  Qos qos = Qos::kAtMostOnce;
  bool retain = false;
  std::span<const std::uint32_t> identifiers;  // of the subscriptions that matched
  std::uint16_t alias = 0;                     // topic alias (section 3.3.2.3.4); 0: none
  bool alias_known = false;                    // the receiver knows it: the topic is left out
};

// Serialises; the time left until expiry is that at `now`.
FrameRef MakeFrame(const Message& message, const DeliveryForm& form, UtcTime now);

// Keeps the frames of one message while it is handed to many receivers at one moment.
class FrameCache {
 public:
  FrameRef Get(const MessageRef& message, const DeliveryForm& form, UtcTime now);

 private:
  struct Aliased {
    std::size_t kind = 0;
    std::uint16_t alias = 0;
    FrameRef frame;
  };
  MessageRef message_;
  UtcTime now_{};
  std::array<FrameRef, 12> frames_;  // by version, QoS, retain
  // Newcomers to the topic, and those who know its alias: all have the same one, if they came
  // alike.
  std::array<Aliased, 2> aliased_;
};

}  // namespace mig::mqtt
