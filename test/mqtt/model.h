// MQTT as lists and sets: what each client must be sent, by the plain words of the standard, slow
// and without any cleverness. It is told what clients do and when time passes, and holds what the
// broker sends against what it expects; broker_model_test.cpp runs both side by side.
//
// Where the standard leaves a choice the model allows all of it: which member of a group gets a
// message, the order of retained messages, whether a QoS 1 message that expired in flight is sent
// again. Two things are the broker's own promise: messages that were queued when a client
// unsubscribed are still delivered, and messages of one QoS keep their order across topics.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "mqtt/packet.h"
#include "util/clock.h"

namespace mig::mqtt {

// The broker did what the model does not allow.
class ModelViolation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ModelMessage {
  std::string topic;
  Bytes payload;
  Qos qos{};
  bool retain = false;
  Properties properties;  // those that are passed on
  std::optional<UtcTime> expires_at;
};

// One copy on its way to one session, or to a group.
struct ModelDelivery {
  std::shared_ptr<const ModelMessage> message;
  Qos qos{};
  Qos least_qos{};        // of a group's: what its members had in common when it came
  std::set<bool> retain;  // which RETAIN it may have
  std::vector<std::uint32_t> identifiers;
  bool may_be_left_out = false;
};

struct ModelFlight {
  std::uint16_t packet_id = 0;
  ModelDelivery delivery;
  bool is_shared = false;
  std::string group;         // `$share/…`; empty: the session's own
  bool is_released = false;  // PUBREC came; PUBREL and PUBCOMP are left
  bool is_sent = false;      // on the present connection
  bool lost_its_id = false;  // QoS 1, and the broker was killed
};

// Deliveries whose order does not matter; they all come before those of the next slot.
struct ModelSlot {
  std::uint64_t event = 0;
  std::vector<ModelDelivery> deliveries;
};

struct ModelSubscription {
  SubscribeOptions options;
  std::uint32_t identifier = 0;
};

struct ModelSession {
  bool is_connected = false;
  Version version{};
  std::chrono::seconds expiry{0};
  std::size_t window = 0;  // of the present connection
  std::size_t max_packet = 0;
  UtcTime away_since{};
  std::optional<Will> will;
  std::optional<UtcTime> will_at;
  std::map<std::string, ModelSubscription> subscriptions;
  std::map<Qos, std::deque<ModelSlot>> pending;  // QoS 1 and 2
  std::deque<ModelSlot> immediate;               // QoS 0: now or never
  std::list<ModelFlight> flights;                // in the order in which they were sent first
  std::set<std::uint16_t> awaited_releases;      // PUBRELs that must come now
  std::set<std::uint16_t> received;              // QoS 2 messages of the client, before PUBREL
};

struct ModelGroup {
  std::set<std::string> members;
  std::list<ModelDelivery> pending;
  std::list<ModelDelivery> immediate;
};

class Model {
 public:
  // All times are given; nothing else moves the clock.
  void Advance(UtcTime now);

  bool Connect(const mqtt::Connect& connect, std::chrono::seconds longest_expiry);  // present?
  void Disconnected(const std::string& client, const Disconnect& disconnect);
  void Dropped(const std::string& client);
  void BrokerKilled();

  void Subscribed(const std::string& client, const Subscribe& subscribe);
  std::vector<bool> Unsubscribed(const std::string& client, const Unsubscribe& unsubscribe);
  // True if somebody is to get it. Of a repetition nothing is known.
  std::optional<bool> Published(const std::string& client, const Publish& publish);
  void ReleasedByClient(const std::string& client, std::uint16_t packet_id);
  void AcknowledgedByClient(const std::string& client, const Ack& ack);

  // The broker sent this. Throws ModelViolation.
  void Got(const std::string& client, const Publish& publish, const std::string& topic);
  void GotRelease(const std::string& client, std::uint16_t packet_id);

  // Everything that could be sent has been. Throws ModelViolation if something is missing.
  void CheckNothingIsWithheld();

 private:
  void Drop(const std::string& client, bool discard_will);
  void EndSession(const std::string& client);
  void SendWill(const std::string& client);
  void Route(const std::shared_ptr<const ModelMessage>& message, const std::string& publisher,
             bool* matched);
  void Retain(const std::shared_ptr<const ModelMessage>& message);
  void Add(ModelSession& session, ModelDelivery delivery);
  void LeaveGroup(const std::string& client, const std::string& filter);
  void ReturnToGroup(ModelFlight flight);
  bool MaySkip(const ModelSession& session, const ModelDelivery& delivery) const;
  bool MaySkipFlight(const ModelSession& session, const ModelFlight& flight) const;
  bool IsTooLarge(const ModelSession& session, const ModelDelivery& delivery) const;
  bool IsThis(const ModelSession& session, const ModelDelivery& delivery, const Publish& publish,
              const std::string& topic) const;
  // `must_come`: only those that may not be left out.
  bool TakeResent(ModelSession& session, const Publish& publish, const std::string& topic,
                  bool must_come);
  bool TakeFromSlots(ModelSession& session, std::deque<ModelSlot>& slots, const Publish& publish,
                     const std::string& topic, ModelDelivery* taken);
  bool TakeFromGroups(const std::string& client, const Publish& publish, const std::string& topic);
  bool HasRoom(const ModelSession& session) const;

  UtcTime now_{};
  bool lost_will_ = false;   // what is routed now may not have survived
  std::uint64_t event_ = 0;  // counts what happens; deliveries of one event share a slot
  std::map<std::string, ModelSession> sessions_;  // by client identifier
  std::map<std::string, ModelGroup> groups_;      // by `$share/NAME/FILTER`
  std::map<std::string, std::shared_ptr<const ModelMessage>> retained_;
};

// By the words of section 4.7, one level after the other.
bool ModelMatches(const std::string& filter, const std::string& topic);
bool ModelIsShared(const std::string& filter);
// Of a message's properties those that its receivers get, as far as the population sends them.
Properties ModelPassedOn(const Properties& properties);

}  // namespace mig::mqtt
