// The properties of MQTT 5.0 (section 2.2.2): a list in the order of the wire, checked against one
// table that says which packet may carry which, in what form, and whether more than once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/wire.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::mqtt {

// On the wire: never renumber.
enum class PropertyId : std::uint8_t {
  kPayloadFormatIndicator = 0x01,
  kMessageExpiryInterval = 0x02,
  kContentType = 0x03,
  kResponseTopic = 0x08,
  kCorrelationData = 0x09,
  kSubscriptionIdentifier = 0x0B,
  kSessionExpiryInterval = 0x11,
  kAssignedClientIdentifier = 0x12,
  kServerKeepAlive = 0x13,
  kAuthenticationMethod = 0x15,
  kAuthenticationData = 0x16,
  kRequestProblemInformation = 0x17,
  kWillDelayInterval = 0x18,
  kRequestResponseInformation = 0x19,
  kResponseInformation = 0x1A,
  kServerReference = 0x1C,
  kReasonString = 0x1F,
  kReceiveMaximum = 0x21,
  kTopicAliasMaximum = 0x22,
  kTopicAlias = 0x23,
  kMaximumQos = 0x24,
  kRetainAvailable = 0x25,
  kUserProperty = 0x26,
  kMaximumPacketSize = 0x27,
  kWildcardSubscriptionAvailable = 0x28,
  kSubscriptionIdentifierAvailable = 0x29,
  kSharedSubscriptionAvailable = 0x2A,
};

// The places that carry properties: packet types by their number on the wire, and the will, which
// has a list of its own inside CONNECT.
enum class PropertyPlace : std::uint8_t {
  kWill = 0,
  kConnect = 1,
  kConnAck = 2,
  kPublish = 3,
  kPubAck = 4,
  kPubRec = 5,
  kPubRel = 6,
  kPubComp = 7,
  kSubscribe = 8,
  kSubAck = 9,
  kUnsubscribe = 10,
  kUnsubAck = 11,
  kDisconnect = 14,
  kAuth = 15,
};

struct Property {
  PropertyId id{};
  std::uint32_t number = 0;  // byte, two-byte, four-byte and variable integers
  Bytes text;                // strings, binary data, the name of a user property
  Bytes value;               // the value of a user property

  bool operator==(const Property&) const = default;
};

class Properties {
 public:
  // The first one, or null.
  const Property* Find(PropertyId id) const;
  std::optional<std::uint32_t> Number(PropertyId id) const;
  std::optional<std::string_view> Text(PropertyId id) const;

  Properties& Add(PropertyId id, std::uint32_t number);
  Properties& Add(PropertyId id, std::string_view text);
  Properties& AddUser(std::string_view name, std::string_view value);
  Properties& Add(Property property);
  void Remove(PropertyId id);

  bool empty() const { return list_.empty(); }
  std::size_t size() const { return list_.size(); }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }

  bool operator==(const Properties&) const = default;

 private:
  std::vector<Property> list_;
};

// Reads the length and the list. Failures stick to the reader: kMalformed for an unknown or
// misplaced property, kInvalid (a protocol error) for one given twice or out of range.
Properties ReadProperties(Reader& reader, PropertyPlace place);

// The list without its length. Error: as ReadProperties.
Expected<Properties> DecodeProperties(BytesView list, PropertyPlace place);

// The list without its length.
void AppendPropertyList(Bytes& out, const Properties& properties);
void AppendProperty(Bytes& out, const Property& property);
// Length and list.
void AppendProperties(Bytes& out, const Properties& properties);

}  // namespace mig::mqtt
