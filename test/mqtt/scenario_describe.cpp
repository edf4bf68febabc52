// A packet as a line of a scenario, for transcripts.
#include <algorithm>

#include "test/mqtt/scenario_names.h"
#include "test/mqtt/scenario_packet.h"
#include "util/encoding.h"

namespace mig::mqtt {
namespace {

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  const bool is_plain = !text.empty() && text.size() <= kShown &&
                        std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (is_plain) return std::string(text);
  std::string out = "'";
  for (const char c : text.substr(0, kShown)) {
    if (c >= ' ' && c <= '~' && c != '\'' && c != '\\') {
      out += c;
    } else {
      out += "\\x" + EncodeHex(std::string_view(&c, 1));
    }
  }
  out += "'";
  if (text.size() > kShown) out += " (" + std::to_string(text.size()) + " bytes)";
  return out;
}

std::string DescribeProperties(const Properties& properties, std::string_view prefix = {}) {
  std::string out;
  for (const Property& property : properties) {
    const PropertyName* known = FindProperty(property.id);
    if (known == nullptr) continue;
    out += " " + std::string(prefix) + std::string(known->name) + " ";
    if (known->form == PropertyName::Form::kNumber) {
      out += std::to_string(property.number);
    } else {
      out += Quoted(property.text);
      if (known->form == PropertyName::Form::kPair) out += " " + Quoted(property.value);
    }
  }
  return out;
}

std::string Hex(unsigned code) { return "0x" + EncodeHex(std::string(1, static_cast<char>(code))); }

std::string DescribeReason(Reason reason) {
  return reason == Reason::kSuccess ? "" : " " + Hex(static_cast<unsigned>(reason));
}

struct Describer {
  std::string operator()(const Connect& p) const {
    std::string out = " client-id " + Quoted(p.client_id) + " clean-start " +
                      (p.clean_start ? "1" : "0") + " keep-alive " +
                      std::to_string(p.keep_alive_seconds) + DescribeProperties(p.properties);
    if (p.will) {
      out += " will-topic " + Quoted(p.will->topic) + " will-payload " + Quoted(p.will->payload) +
             " will-qos " + std::to_string(static_cast<int>(p.will->qos)) +
             (p.will->retain ? " will-retain" : "") +
             DescribeProperties(p.will->properties, kWillPrefix);
    }
    if (p.user_name) out += " user-name " + Quoted(*p.user_name);
    if (p.password) out += " password " + Quoted(*p.password);
    return out;
  }
  std::string operator()(const ConnAck& p) const {
    return std::string(p.session_present ? " session-present" : "") +
           (p.code == 0 ? "" : " " + Hex(p.code)) + DescribeProperties(p.properties);
  }
  std::string operator()(const Publish& p) const {
    return std::string(p.dup ? " dup" : "") + (p.retain ? " retain" : "") + " qos " +
           std::to_string(static_cast<int>(p.qos)) +
           (p.packet_id == 0 ? "" : " id " + std::to_string(p.packet_id)) + " topic " +
           Quoted(p.topic) + " payload " + Quoted(p.payload) + DescribeProperties(p.properties);
  }
  std::string operator()(const Ack& p) const {
    return " id " + std::to_string(p.packet_id) + DescribeReason(p.reason) +
           DescribeProperties(p.properties);
  }
  std::string operator()(const Subscribe& p) const {
    std::string out = " id " + std::to_string(p.packet_id);
    for (const auto& [filter, options] : p.entries) {
      out += " filter " + Quoted(filter) + " qos " + std::to_string(static_cast<int>(options.qos)) +
             (options.no_local ? " no-local" : "") +
             (options.retain_as_published ? " as-published" : "");
      if (options.retain_handling != RetainHandling::kSend) {
        out += " retain-handling " + std::to_string(static_cast<int>(options.retain_handling));
      }
    }
    return out + DescribeProperties(p.properties);
  }
  template <typename T>
  static std::string DescribeReasons(const T& p) {
    std::string out = " id " + std::to_string(p.packet_id);
    for (const Reason reason : p.reasons) out += " " + Hex(static_cast<unsigned>(reason));
    return out + DescribeProperties(p.properties);
  }
  std::string operator()(const SubAck& p) const { return DescribeReasons(p); }
  std::string operator()(const UnsubAck& p) const { return DescribeReasons(p); }
  std::string operator()(const Unsubscribe& p) const {
    std::string out = " id " + std::to_string(p.packet_id);
    for (const std::string& filter : p.filters) out += " filter " + Quoted(filter);
    return out + DescribeProperties(p.properties);
  }
  std::string operator()(const PingReq&) const { return {}; }
  std::string operator()(const PingResp&) const { return {}; }
  std::string operator()(const Disconnect& p) const {
    return DescribeReason(p.reason) + DescribeProperties(p.properties);
  }
  std::string operator()(const Auth& p) const {
    return DescribeReason(p.reason) + DescribeProperties(p.properties);
  }
};

}  // namespace

std::string DescribePacket(const Packet& packet) {
  return std::string(PacketName(TypeOf(packet))) + std::visit(Describer{}, packet);
}

}  // namespace mig::mqtt
