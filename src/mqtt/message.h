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
};

// Serialises; the time left until expiry is that at `now`.
FrameRef MakeFrame(const Message& message, const DeliveryForm& form, UtcTime now);

// Keeps the frames of one message while it is handed to many receivers at one moment.
class FrameCache {
 public:
  FrameRef Get(const MessageRef& message, const DeliveryForm& form, UtcTime now);

 private:
  MessageRef message_;
  UtcTime now_{};
  std::array<FrameRef, 8> frames_;  // by version, QoS 0 or above, retain
};

}  // namespace mig::mqtt
