// Many small MQTT clients in one thread, on raw sockets and one epoll set, that keep the protocol's
// rules across connections: what a publisher has no answer to it sends again, in order, under the
// same identifiers; what a receiver has taken of QoS 2 it does not take again. They forget nothing
// when the relay dies.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mqtt/codec.h"

namespace mig::e2e {

class Swarm;

class SwarmClient {
 public:
  enum class State { kDown, kConnecting, kWaiting, kUp };

  SwarmClient(Swarm& swarm, std::string id, mqtt::Version version, bool clean = false)
      : swarm_(swarm), id_(std::move(id)), version_(version), clean_(clean) {}
  ~SwarmClient() { Down(); }
  SwarmClient(const SwarmClient&) = delete;
  SwarmClient& operator=(const SwarmClient&) = delete;

  // Subscribed to once, when there is no session yet.
  void WantSubscription(std::string filter, mqtt::Qos qos) {
    wanted_.push_back({std::move(filter), {qos}});
  }

  void Connect(std::uint16_t port);
  void Disconnect();  // in order, as far as the socket takes it
  void Down();        // the socket closes; the session stays

  // Taken on now, sent now or as soon as there is a connection. QoS 1 or 2.
  void Publish(std::string topic, Bytes payload, mqtt::Qos qos, bool retain);
  std::size_t unanswered() const { return outgoing_.size(); }
  bool sent_all() const { return out_.empty(); }
  bool up() const { return state_ == State::kUp; }
  bool down() const { return state_ == State::kDown; }
  bool subscribed() const { return subscribed_; }
  const std::string& id() const { return id_; }

  // A message was taken: for QoS 2, only once.
  std::function<void(const mqtt::Publish&)> on_message;
  // The relay is responsible for it from now on: PUBACK, or PUBREC.
  std::function<void(const mqtt::Publish&, mqtt::Reason)> on_accepted;
  std::function<void()> on_up;

 private:
  friend class Swarm;
  struct Outgoing {
    mqtt::Publish packet;
    bool released = false;
  };

  void OnEvents(std::uint32_t events);
  void Handle(mqtt::Packet packet);
  void HandleAck(const mqtt::Ack& ack);
  void Send(const mqtt::Packet& packet);
  void Flush();
  void WaitToWrite(bool on);
  void Problem(const std::string& text);

  Swarm& swarm_;
  const std::string id_;
  const mqtt::Version version_;
  const bool clean_;
  std::vector<mqtt::Subscribe::Entry> wanted_;

  State state_ = State::kDown;
  int fd_ = -1;
  Bytes in_, out_;
  bool wants_write_ = false;

  // The client's part of the session.
  bool has_session_ = false;  // CONNACK came: the relay must not forget it
  bool subscribed_ = false;
  std::deque<Outgoing> outgoing_;
  std::set<std::uint16_t> received_;  // identifiers of QoS 2 until PUBREL
  std::uint16_t last_packet_id_ = 0;
};

class Swarm {
 public:
  Swarm();
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  // Runs until `done` (looked at after each round of events) or the deadline: false then.
  bool Run(std::chrono::microseconds deadline, const std::function<bool()>& done);
  // What a client found wrong; the first is the one to look at.
  const std::vector<std::string>& problems() const { return problems_; }
  void Problem(std::string text) { problems_.push_back(std::move(text)); }
  std::uint64_t packets() const { return packets_; }

 private:
  friend class SwarmClient;
  int epoll_ = -1;
  std::map<int, SwarmClient*> clients_;  // by descriptor
  std::vector<std::string> problems_;
  std::uint64_t packets_ = 0;  // received
};

}  // namespace mig::e2e
