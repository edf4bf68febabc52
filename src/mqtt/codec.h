// MQTT packets to bytes and back: MQTT 3.1.1 and 5.0, all packet types, both directions. Strict:
// whatever the standard calls malformed or a protocol error within one packet is refused here;
// what depends on the connection's state is for its owner (mqtt/broker.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mqtt/packet.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::mqtt {

struct FixedHeader {
  std::uint8_t first_byte = 0;
  std::size_t header_bytes = 0;  // 2 to 5
  std::size_t body_bytes = 0;    // the remaining length

  std::size_t PacketBytes() const { return header_bytes + body_bytes; }
  PacketType type() const { return static_cast<PacketType>(first_byte >> 4); }
};

// Reads the fixed header at the start of `bytes`, so that a packet's size can be judged before it
// is received. Nothing: more bytes are needed. Error: kMalformed.
Expected<std::optional<FixedHeader>> ReadFixedHeader(BytesView bytes);

// Decodes one whole packet, fixed header included. CONNECT tells its own version; for all others
// `version` is that of the connection.
// Error: kMalformed (0x81), kInvalid (protocol error, 0x82), kUnsupported (a CONNECT of another
// protocol version, 0x84); see ReasonOf().
Expected<Packet> Decode(BytesView packet, Version version);

// Requires: the packet keeps the rules of packet.h. A DISCONNECT, PUBACK … whose reason is success
// and that has no properties takes its shortest form.
Bytes Encode(const Packet& packet, Version version);
void AppendPacket(Bytes& out, const Packet& packet, Version version);

}  // namespace mig::mqtt
