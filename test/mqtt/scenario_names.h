// The names that scenarios give to properties; those of packets are in scenario_packet.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "mqtt/property.h"

namespace mig::mqtt {

// In CONNECT: a property of the will.
inline constexpr std::string_view kWillPrefix = "will-";

struct PropertyName {
  enum class Form : std::uint8_t { kNumber, kText, kPair };
  std::string_view name;
  PropertyId id;
  Form form;
};

// Null: there is none of this name.
const PropertyName* FindProperty(std::string_view name);
const PropertyName* FindProperty(PropertyId id);

}  // namespace mig::mqtt
