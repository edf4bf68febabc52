// A client's eye on the broker: what MQTT forbids a server at any time, whatever the test is about.
// One for each connection; it sees every packet that passes, and says what was broken.
#pragma once

#include <map>
#include <set>
#include <string>

#include "mqtt/packet.h"

namespace mig::mqtt {

class ClientRules {
 public:
  explicit ClientRules(Version version) : version_(version) {}

  // The client sent this.
  void Sent(const Packet& packet);

  // The broker sent this, in so many bytes. What it broke, with the statement's number; empty: it
  // may say so.
  std::string Got(const Packet& packet, std::size_t bytes);

  // The topic of a PUBLISH that has come; the topic alias is resolved. Requires: Got() was content.
  std::string TopicOf(const Publish& publish) const;

  bool connected() const { return connected_; }

 private:
  std::string GotConnAck(const ConnAck& ack);
  std::string GotPublish(const Publish& publish);

  const Version version_;
  bool connected_ = false;     // a CONNACK of success has come
  bool answered_ = false;      // any CONNACK has come
  bool disconnected_ = false;  // a DISCONNECT has come
  bool resumed_ = false;
  bool wants_response_information_ = false;
  bool wants_problem_information_ = true;
  bool has_auth_method_ = false;
  std::uint32_t receive_maximum_ = 0xFFFF;
  std::uint32_t max_packet_ = 0xFFFFFFFF;
  std::uint32_t alias_maximum_ = 0;
  std::map<std::uint32_t, std::string> aliases_;
  std::set<std::uint16_t> outstanding_;  // QoS 1 and 2 that came and were not acknowledged
  std::set<std::uint16_t> asked_;        // SUBSCRIBE and UNSUBSCRIBE that were not answered
};

}  // namespace mig::mqtt
