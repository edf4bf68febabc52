#include "mqtt/property.h"

#include <algorithm>
#include <array>

namespace mig::mqtt {
namespace {

enum class Form : std::uint8_t { kByte, kTwoBytes, kFourBytes, kVariable, kText, kBinary, kPair };

constexpr std::uint16_t In(std::initializer_list<PropertyPlace> places) {
  std::uint16_t bits = 0;
  for (const PropertyPlace place : places) {
    bits = static_cast<std::uint16_t>(bits | 1U << static_cast<unsigned>(place));
  }
  return bits;
}

using enum PropertyPlace;
constexpr std::uint16_t kMessages = In({kPublish, kWill});
constexpr std::uint16_t kEverywhere = 0xFFFF;
constexpr std::uint32_t kAny = 0xFFFFFFFF;

struct Rule {
  PropertyId id;
  Form form;
  std::uint16_t places;
  std::uint32_t min;
  std::uint32_t max;
  const char* name;
};

// MQTT 5.0 table 2-4, sorted by identifier.
constexpr std::array kRules{
    Rule{PropertyId::kPayloadFormatIndicator, Form::kByte, kMessages, 0, 1, "payload format"},
    Rule{PropertyId::kMessageExpiryInterval, Form::kFourBytes, kMessages, 0, kAny,
         "message expiry interval"},
    Rule{PropertyId::kContentType, Form::kText, kMessages, 0, 0, "content type"},
    Rule{PropertyId::kResponseTopic, Form::kText, kMessages, 0, 0, "response topic"},
    Rule{PropertyId::kCorrelationData, Form::kBinary, kMessages, 0, 0, "correlation data"},
    Rule{PropertyId::kSubscriptionIdentifier, Form::kVariable, In({kPublish, kSubscribe}), 1,
         kMaxVariable, "subscription identifier"},
    Rule{PropertyId::kSessionExpiryInterval, Form::kFourBytes,
         In({kConnect, kConnAck, kDisconnect}), 0, kAny, "session expiry interval"},
    Rule{PropertyId::kAssignedClientIdentifier, Form::kText, In({kConnAck}), 0, 0,
         "assigned client identifier"},
    Rule{PropertyId::kServerKeepAlive, Form::kTwoBytes, In({kConnAck}), 0, 0xFFFF,
         "server keep alive"},
    Rule{PropertyId::kAuthenticationMethod, Form::kText, In({kConnect, kConnAck, kAuth}), 0, 0,
         "authentication method"},
    Rule{PropertyId::kAuthenticationData, Form::kBinary, In({kConnect, kConnAck, kAuth}), 0, 0,
         "authentication data"},
    Rule{PropertyId::kRequestProblemInformation, Form::kByte, In({kConnect}), 0, 1,
         "request problem information"},
    Rule{PropertyId::kWillDelayInterval, Form::kFourBytes, In({kWill}), 0, kAny,
         "will delay interval"},
    Rule{PropertyId::kRequestResponseInformation, Form::kByte, In({kConnect}), 0, 1,
         "request response information"},
    Rule{PropertyId::kResponseInformation, Form::kText, In({kConnAck}), 0, 0,
         "response information"},
    Rule{PropertyId::kServerReference, Form::kText, In({kConnAck, kDisconnect}), 0, 0,
         "server reference"},
    Rule{
        PropertyId::kReasonString, Form::kText,
        In({kConnAck, kPubAck, kPubRec, kPubRel, kPubComp, kSubAck, kUnsubAck, kDisconnect, kAuth}),
        0, 0, "reason string"},
    Rule{PropertyId::kReceiveMaximum, Form::kTwoBytes, In({kConnect, kConnAck}), 1, 0xFFFF,
         "receive maximum"},
    Rule{PropertyId::kTopicAliasMaximum, Form::kTwoBytes, In({kConnect, kConnAck}), 0, 0xFFFF,
         "topic alias maximum"},
    // 0 is read, because its answer is "topic alias invalid" and not "protocol error".
    Rule{PropertyId::kTopicAlias, Form::kTwoBytes, In({kPublish}), 0, 0xFFFF, "topic alias"},
    Rule{PropertyId::kMaximumQos, Form::kByte, In({kConnAck}), 0, 1, "maximum QoS"},
    Rule{PropertyId::kRetainAvailable, Form::kByte, In({kConnAck}), 0, 1, "retain available"},
    Rule{PropertyId::kUserProperty, Form::kPair, kEverywhere, 0, 0, "user property"},
    Rule{PropertyId::kMaximumPacketSize, Form::kFourBytes, In({kConnect, kConnAck}), 1, kAny,
         "maximum packet size"},
    Rule{PropertyId::kWildcardSubscriptionAvailable, Form::kByte, In({kConnAck}), 0, 1,
         "wildcard subscription available"},
    Rule{PropertyId::kSubscriptionIdentifierAvailable, Form::kByte, In({kConnAck}), 0, 1,
         "subscription identifier available"},
    Rule{PropertyId::kSharedSubscriptionAvailable, Form::kByte, In({kConnAck}), 0, 1,
         "shared subscription available"},
};

const Rule* RuleOf(std::uint32_t id) {
  const auto* rule = std::ranges::lower_bound(
      kRules, id, {}, [](const Rule& r) { return static_cast<std::uint32_t>(r.id); });
  if (rule == kRules.end() || static_cast<std::uint32_t>(rule->id) != id) return nullptr;
  return rule;
}

bool MayRepeat(const Rule& rule, PropertyPlace place) {
  return rule.id == PropertyId::kUserProperty ||
         (rule.id == PropertyId::kSubscriptionIdentifier && place == kPublish);
}

Properties ReadList(Reader& reader, PropertyPlace place) {
  Properties properties;
  std::uint64_t seen = 0;
  while (reader.ok() && !reader.AtEnd()) {
    const std::uint32_t id = reader.Variable();
    const Rule* rule = RuleOf(id);
    if (rule == nullptr || (rule->places & 1U << static_cast<unsigned>(place)) == 0) {
      reader.Fail(Errc::kMalformed, "property " + std::to_string(id) + " does not belong here");
      break;
    }
    if ((seen >> id & 1) != 0 && !MayRepeat(*rule, place)) {
      reader.Fail(Errc::kInvalid, std::string(rule->name) + " given twice");
      break;
    }
    seen |= std::uint64_t{1} << id;
    Property property{rule->id, 0, {}, {}};
    bool is_number = true;
    switch (rule->form) {
      case Form::kByte:
        property.number = reader.Byte();
        break;
      case Form::kTwoBytes:
        property.number = reader.TwoBytes();
        break;
      case Form::kFourBytes:
        property.number = reader.FourBytes();
        break;
      case Form::kVariable:
        property.number = reader.Variable();
        break;
      case Form::kText:
        property.text = reader.Text();
        is_number = false;
        break;
      case Form::kBinary:
        property.text = reader.Binary();
        is_number = false;
        break;
      case Form::kPair:
        property.text = reader.Text();
        property.value = reader.Text();
        is_number = false;
        break;
    }
    if (is_number && (property.number < rule->min || property.number > rule->max)) {
      reader.Fail(Errc::kInvalid, std::string(rule->name) + " out of range");
      break;
    }
    properties.Add(std::move(property));
  }
  return properties;
}

}  // namespace

const Property* Properties::Find(PropertyId id) const {
  const auto found = std::ranges::find(list_, id, &Property::id);
  return found == list_.end() ? nullptr : &*found;
}

void Properties::Remove(PropertyId id) {
  std::erase_if(list_, [id](const Property& property) { return property.id == id; });
}

std::optional<std::uint32_t> Properties::Number(PropertyId id) const {
  const Property* property = Find(id);
  if (property == nullptr) return std::nullopt;
  return property->number;
}

std::optional<std::string_view> Properties::Text(PropertyId id) const {
  const Property* property = Find(id);
  if (property == nullptr) return std::nullopt;
  return property->text;
}

Properties& Properties::Add(PropertyId id, std::uint32_t number) {
  return Add(Property{id, number, {}, {}});
}

Properties& Properties::Add(PropertyId id, std::string_view text) {
  return Add(Property{id, 0, Bytes(text), {}});
}

Properties& Properties::AddUser(std::string_view name, std::string_view value) {
  return Add(Property{PropertyId::kUserProperty, 0, Bytes(name), Bytes(value)});
}

Properties& Properties::Add(Property property) {
  list_.push_back(std::move(property));
  return *this;
}

Properties ReadProperties(Reader& reader, PropertyPlace place) {
  const std::uint32_t size = reader.Variable();
  Reader list(reader.Take(size));
  if (!reader.ok()) return {};
  Properties properties = ReadList(list, place);
  if (!list.ok()) {
    Error error = list.TakeError();
    reader.Fail(error.code(), error.message());
  }
  return properties;
}

Expected<Properties> DecodeProperties(BytesView list, PropertyPlace place) {
  Reader reader(list);
  Properties properties = ReadList(reader, place);
  if (auto ok = reader.Finish(); !ok) return std::move(ok).error();
  return properties;
}

void AppendProperty(Bytes& out, const Property& property) {
  const Rule* rule = RuleOf(static_cast<std::uint32_t>(property.id));
  out.push_back(static_cast<char>(property.id));
  switch (rule->form) {
    case Form::kByte:
      out.push_back(static_cast<char>(property.number));
      break;
    case Form::kTwoBytes:
      AppendTwoBytes(out, static_cast<std::uint16_t>(property.number));
      break;
    case Form::kFourBytes:
      AppendFourBytes(out, property.number);
      break;
    case Form::kVariable:
      AppendVariable(out, property.number);
      break;
    case Form::kText:
    case Form::kBinary:
      AppendText(out, property.text);
      break;
    case Form::kPair:
      AppendText(out, property.text);
      AppendText(out, property.value);
      break;
  }
}

void AppendPropertyList(Bytes& out, const Properties& properties) {
  for (const Property& property : properties) AppendProperty(out, property);
}

void AppendProperties(Bytes& out, const Properties& properties) {
  Bytes list;
  AppendPropertyList(list, properties);
  AppendVariable(out, static_cast<std::uint32_t>(list.size()));
  out += list;
}

}  // namespace mig::mqtt
