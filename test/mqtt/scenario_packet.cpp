#include "test/mqtt/scenario_packet.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "test/mqtt/scenario_names.h"

namespace mig::mqtt {
namespace {

using Form = PropertyName::Form;

// Fields that are no properties: name and how many words follow.
struct FieldRule {
  PacketType type;
  std::string_view name;
  std::size_t words;
};
constexpr std::array kFields{
    FieldRule{PacketType::kConnect, "client-id", 1},
    FieldRule{PacketType::kConnect, "clean-start", 1},
    FieldRule{PacketType::kConnect, "keep-alive", 1},
    FieldRule{PacketType::kConnect, "kept", 0},
    FieldRule{PacketType::kConnect, "user-name", 1},
    FieldRule{PacketType::kConnect, "password", 1},
    FieldRule{PacketType::kConnect, "will-topic", 1},
    FieldRule{PacketType::kConnect, "will-payload", 1},
    FieldRule{PacketType::kConnect, "will-qos", 1},
    FieldRule{PacketType::kConnect, "will-retain", 0},
    FieldRule{PacketType::kConnAck, "session-present", 0},
    FieldRule{PacketType::kConnAck, "reason", 1},
    FieldRule{PacketType::kPublish, "topic", 1},
    FieldRule{PacketType::kPublish, "payload", 1},
    FieldRule{PacketType::kPublish, "qos", 1},
    FieldRule{PacketType::kPublish, "retain", 0},
    FieldRule{PacketType::kPublish, "dup", 0},
    FieldRule{PacketType::kSubscribe, "filter", 1},
    FieldRule{PacketType::kSubscribe, "qos", 1},
    FieldRule{PacketType::kSubscribe, "no-local", 0},
    FieldRule{PacketType::kSubscribe, "as-published", 0},
    FieldRule{PacketType::kSubscribe, "retain-handling", 1},
    FieldRule{PacketType::kSubAck, "reason", 1},
    FieldRule{PacketType::kUnsubscribe, "filter", 1},
    FieldRule{PacketType::kUnsubAck, "reason", 1},
    FieldRule{PacketType::kPubAck, "reason", 1},
    FieldRule{PacketType::kPubRec, "reason", 1},
    FieldRule{PacketType::kPubRel, "reason", 1},
    FieldRule{PacketType::kPubComp, "reason", 1},
    FieldRule{PacketType::kDisconnect, "reason", 1},
    FieldRule{PacketType::kAuth, "reason", 1},
};

bool HasPacketId(PacketType type) {
  return type >= PacketType::kPublish && type <= PacketType::kUnsubAck;
}

std::optional<std::uint32_t> ToNumber(std::string_view text) {
  const bool is_hex = text.starts_with("0x");
  if (is_hex) text.remove_prefix(2);
  std::uint32_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class Builder {
 public:
  Builder(const PacketText& text, Version version, const Lookup& lookup)
      : text_(text), version_(version), lookup_(lookup) {}

  Expected<Packet> Build() {
    Packet packet = Of(text_.type);
    if (error_) return std::move(*error_);
    return packet;
  }

 private:
  Packet Of(PacketType type) {
    switch (type) {
      case PacketType::kConnect:
        return BuildConnect();
      case PacketType::kConnAck:
        return BuildConnAck();
      case PacketType::kPublish:
        return BuildPublish();
      case PacketType::kPubAck:
      case PacketType::kPubRec:
      case PacketType::kPubRel:
      case PacketType::kPubComp: {
        const auto id = static_cast<std::uint16_t>(Number("id"));
        return Ack{type, id, ReasonField(), PropertiesOf()};
      }
      case PacketType::kSubscribe:
        return BuildSubscribe();
      case PacketType::kSubAck:
        return SubAck{static_cast<std::uint16_t>(Number("id")), PropertiesOf(), Reasons()};
      case PacketType::kUnsubscribe:
        return BuildUnsubscribe();
      case PacketType::kUnsubAck:
        return UnsubAck{static_cast<std::uint16_t>(Number("id")), PropertiesOf(), Reasons()};
      case PacketType::kPingReq:
        return PingReq{};
      case PacketType::kPingResp:
        return PingResp{};
      case PacketType::kDisconnect:
        return Disconnect{ReasonField(), PropertiesOf()};
      case PacketType::kAuth:
        return Auth{ReasonField(), PropertiesOf()};
    }
    return PingReq{};
  }

  void Fail(std::string message) {
    if (!error_) error_.emplace(Errc::kInvalid, std::move(message));
  }

  bool Has(std::string_view name) const { return text_.Find(name) != nullptr; }
  std::string Text(std::string_view name) const {
    const auto* field = text_.Find(name);
    return field == nullptr ? std::string() : field->values[0];
  }
  std::uint32_t Number(std::string_view name, std::uint32_t if_absent = 0) {
    const auto* field = text_.Find(name);
    return field == nullptr ? if_absent : NumberOf(*field);
  }
  std::uint32_t NumberOf(const PacketText::Field& field) {
    const bool is_id = field.name == "id";  // only those have names
    std::string value = is_id ? lookup_(field.values[0]) : field.values[0];
    value = value.substr(0, value.find(".."));
    const auto number = ToNumber(value);
    if (!number) Fail("`" + field.name + " " + value + "` is no number");
    return number.value_or(0);
  }
  Qos QosOf(std::uint32_t number) {
    if (number > 2) Fail("QoS is 0, 1 or 2; others are sent as bytes");
    return static_cast<Qos>(number & 3);
  }
  Reason ReasonField() {
    const auto* field = text_.Find("reason");
    if (field == nullptr) return Reason::kSuccess;
    if (version_ == Version::k311) Fail("3.1.1 has no reason codes");
    return static_cast<Reason>(NumberOf(*field));
  }
  std::vector<Reason> Reasons() {
    std::vector<Reason> reasons;
    for (const auto& field : text_.fields) {
      if (field.name == "reason") reasons.push_back(static_cast<Reason>(NumberOf(field)));
    }
    return reasons;
  }

  Properties PropertiesOf(std::string_view prefix = {}) {
    Properties properties;
    for (const auto& field : text_.fields) {
      const std::string_view name = field.name;
      if (!name.starts_with(prefix) || (prefix.empty() && IsWillField(name))) continue;
      const PropertyName* known = FindProperty(name.substr(prefix.size()));
      if (known == nullptr) continue;
      if (version_ == Version::k311) Fail("3.1.1 has no property `" + field.name + "`");
      if (known->form == Form::kNumber) {
        properties.Add(known->id, NumberOf(field));
      } else if (known->form == Form::kText) {
        properties.Add(known->id, field.values[0]);
      } else {
        properties.AddUser(field.values[0], field.values[1]);
      }
    }
    return properties;
  }
  bool IsWillField(std::string_view name) const {
    return text_.type == PacketType::kConnect && name.starts_with(kWillPrefix);
  }

  Packet BuildConnect() {
    Connect connect;
    connect.version = version_;
    connect.client_id = Text("client-id");
    connect.clean_start = Number("clean-start", 1) != 0;
    connect.keep_alive_seconds = static_cast<std::uint16_t>(Number("keep-alive"));
    if (Has("user-name")) connect.user_name = Text("user-name");
    if (Has("password")) connect.password = Text("password");
    connect.properties = PropertiesOf();
    if (Has("kept")) {
      connect.clean_start = false;
      if (version_ == Version::k5 &&
          connect.properties.Find(PropertyId::kSessionExpiryInterval) == nullptr) {
        connect.properties.Add(PropertyId::kSessionExpiryInterval, 3600);
      }
    }
    if (Has("will-topic")) {
      Will& will = connect.will.emplace();
      will.topic = Text("will-topic");
      will.payload = Text("will-payload");
      will.qos = QosOf(Number("will-qos"));
      will.retain = Has("will-retain");
      will.properties = PropertiesOf(kWillPrefix);
    }
    return connect;
  }

  Packet BuildConnAck() {
    ConnAck ack;
    ack.session_present = Has("session-present");
    ack.code = static_cast<std::uint8_t>(Number("reason"));
    ack.properties = PropertiesOf();
    return ack;
  }

  Packet BuildPublish() {
    Publish publish;
    publish.topic = Text("topic");
    publish.payload = Text("payload");
    publish.qos = QosOf(Number("qos"));
    publish.retain = Has("retain");
    publish.dup = Has("dup");
    publish.packet_id = static_cast<std::uint16_t>(Number("id"));
    publish.properties = PropertiesOf();
    return publish;
  }

  Packet BuildSubscribe() {
    Subscribe subscribe;
    subscribe.packet_id = static_cast<std::uint16_t>(Number("id"));
    subscribe.properties = PropertiesOf();
    for (const auto& field : text_.fields) {
      if (field.name == "filter") {
        subscribe.entries.push_back({field.values[0], {}});
        continue;
      }
      const bool is_option = field.name == "qos" || field.name == "no-local" ||
                             field.name == "as-published" || field.name == "retain-handling";
      if (!is_option) continue;
      if (subscribe.entries.empty()) {
        Fail("`" + field.name + "` comes after its filter");
        break;
      }
      if (version_ == Version::k311 && field.name != "qos") {
        Fail("3.1.1 has no option `" + field.name + "`");
      }
      SubscribeOptions& options = subscribe.entries.back().options;
      if (field.name == "qos") options.qos = QosOf(NumberOf(field));
      if (field.name == "no-local") options.no_local = true;
      if (field.name == "as-published") options.retain_as_published = true;
      if (field.name == "retain-handling") {
        options.retain_handling = static_cast<RetainHandling>(NumberOf(field));
      }
    }
    return subscribe;
  }

  Packet BuildUnsubscribe() {
    Unsubscribe unsubscribe;
    unsubscribe.packet_id = static_cast<std::uint16_t>(Number("id"));
    unsubscribe.properties = PropertiesOf();
    for (const auto& field : text_.fields) {
      if (field.name == "filter") unsubscribe.filters.push_back(field.values[0]);
    }
    return unsubscribe;
  }

  const PacketText& text_;
  const Version version_;
  const Lookup& lookup_;
  std::optional<Error> error_;
};

// The order of properties means nothing, but for that of user properties.
std::vector<Property> Sorted(const Properties& properties) {
  std::vector<Property> list(properties.begin(), properties.end());
  std::ranges::stable_sort(list, [](const Property& a, const Property& b) {
    if (a.id != b.id) return a.id < b.id;
    return a.id == PropertyId::kSubscriptionIdentifier && a.number < b.number;
  });
  return list;
}

// Where the scenario allows a range and the actual number is within, or any value, the expected one
// becomes the actual one.
void ApplyRanges(const PacketText& text, std::vector<Property>& expected,
                 const std::vector<Property>& actual) {
  for (const auto& field : text.fields) {
    const PropertyName* known = FindProperty(field.name);
    if (known == nullptr) continue;
    const auto want = std::ranges::find(expected, known->id, &Property::id);
    const auto have = std::ranges::find(actual, known->id, &Property::id);
    if (want == expected.end() || have == actual.end()) continue;
    if (known->form == Form::kText && field.values[0] == "any") want->text = have->text;
    const auto dots = field.values[0].find("..");
    if (known->form != Form::kNumber || dots == std::string::npos) continue;
    const auto from = ToNumber(field.values[0].substr(0, dots));
    const auto to = ToNumber(field.values[0].substr(dots + 2));
    if (from && to && have->number >= *from && have->number <= *to) want->number = have->number;
  }
}

Properties* PropertiesIn(Packet& packet) {
  return std::visit(
      [](auto& p) -> Properties* {
        if constexpr (requires { p.properties; }) {
          return &p.properties;
        } else {
          return nullptr;
        }
      },
      packet);
}

Properties FromList(const std::vector<Property>& list) {
  Properties properties;
  for (const Property& property : list) properties.Add(property);
  return properties;
}

}  // namespace

std::optional<std::size_t> FieldWords(PacketType type, std::string_view name) {
  if (name == "id" && HasPacketId(type)) return 1;
  if (name == "without") return 1;  // in what is expected
  for (const FieldRule& rule : kFields) {
    if (rule.type == type && rule.name == name) return rule.words;
  }
  if (type == PacketType::kConnect && name.starts_with(kWillPrefix)) {
    name.remove_prefix(kWillPrefix.size());
  }
  const PropertyName* property = FindProperty(name);
  if (property == nullptr || type == PacketType::kPingReq || type == PacketType::kPingResp) {
    return std::nullopt;
  }
  return property->form == Form::kPair ? 2 : 1;
}

Expected<Packet> BuildPacket(const PacketText& text, Version version, const Lookup& lookup) {
  return Builder(text, version, lookup).Build();
}

std::string Difference(const PacketText& text, const Packet& expected_packet,
                       const Packet& actual_packet) {
  Packet expected = expected_packet;
  Packet actual = actual_packet;
  if (TypeOf(expected) != TypeOf(actual)) {
    return "expected " + std::string(PacketName(TypeOf(expected)));
  }
  if (Properties* wanted = PropertiesIn(expected)) {
    Properties& came = *PropertiesIn(actual);
    std::vector<Property> have = Sorted(came);
    std::vector<Property> want = Sorted(*wanted);
    ApplyRanges(text, want, have);
    const bool any = text.type == PacketType::kConnAck;
    std::erase_if(have, [&](const Property& p) {
      const bool is_remark = text.type != PacketType::kPublish && p.id == PropertyId::kReasonString;
      return (any || is_remark) && std::ranges::find(want, p.id, &Property::id) == want.end();
    });
    for (const auto& field : text.fields) {
      if (field.name != "without") continue;
      const PropertyName* absent = FindProperty(field.values[0]);
      if (absent == nullptr) return "`" + field.values[0] + "` is no property";
      if (came.Find(absent->id) != nullptr) return field.values[0] + " is there";
    }
    *wanted = FromList(want);
    came = FromList(have);
  }
  SetPacketId(expected, 0);
  SetPacketId(actual, 0);
  if (expected == actual) return {};
  return "expected " + DescribePacket(expected);
}

std::uint16_t PacketIdOf(const Packet& packet) {
  return std::visit(
      [](const auto& p) -> std::uint16_t {
        if constexpr (requires { p.packet_id; }) {
          return p.packet_id;
        } else {
          return 0;
        }
      },
      packet);
}

void SetPacketId(Packet& packet, std::uint16_t id) {
  std::visit(
      [id](auto& p) {
        if constexpr (requires { p.packet_id; }) p.packet_id = id;
      },
      packet);
}

}  // namespace mig::mqtt
