// Between packets and the words of scenarios: which fields a line may name, the packet that a line
// describes, and a packet as such a line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "test/mqtt/scenario.h"

namespace mig::mqtt {

// "PUBLISH"; nothing for a word that names no packet.
std::optional<PacketType> PacketTypeOf(std::string_view name);
std::string_view PacketName(PacketType type);
PacketType TypeOf(const Packet& packet);

// How many words follow the field's name in a line; nothing: this packet has no such field.
std::optional<std::size_t> FieldWords(PacketType type, std::string_view name);

// The value of an `id` at run time: `$NAME` is looked up, a number stays.
using Lookup = std::function<std::string(const std::string&)>;

// The packet that the fields describe; what they do not name has the simplest value. Of a range the
// lower end. Error: kInvalid, a field that this version does not have, or no number.
Expected<Packet> BuildPacket(const PacketText& text, Version version, const Lookup& lookup);

// What differs between the packet that came and the one that is described; empty: nothing. A
// CONNACK may have properties that are not named; all packets but PUBLISH may have a reason string.
// Packet identifiers are the caller's matter.
std::string Difference(const PacketText& text, const Packet& expected, const Packet& actual);

// As a line of a scenario.
std::string DescribePacket(const Packet& packet);

std::uint16_t PacketIdOf(const Packet& packet);  // 0: it has none
void SetPacketId(Packet& packet, std::uint16_t id);

}  // namespace mig::mqtt
