// The agent's line to one of its relays: which one, what it subscribes to, its presence, and what
// goes out over it. Behind it is net/mqtt_link.h. One thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/mqtt_link.h"
#include "proto/topics.h"
#include "roles/agent/agent_config.h"
#include "roles/agent/heartbeat.h"
#include "roles/agent/identity.h"
#include "util/back_off.h"

namespace mig::agent {

class RelayLine {
 public:
  struct Events {
    std::function<void()> connected;  // presence has been sent
    std::function<void()> lost;
    std::function<void(BytesView)> command;
    std::function<void(BytesView)> control;  // also the retained policy
  };
  // All must outlive the line.
  RelayLine(boost::asio::io_context& io, const AgentConfig& config, const Identity& identity,
            const Boot& boot, Events events);

  // With the first certificate; later calls do nothing: each attempt reads the files anew.
  void Start();
  bool connected() const { return link_ && link_->connected(); }

  void SendReceipt(const Receipt& receipt);
  void SendHeartbeat(const Heartbeat& heartbeat);
  void SendPart(Bytes envelope, MqttLink::Done done);

  // Says goodbye and disconnects; `done` runs within a few seconds.
  void Stop(std::function<void()> done);

 private:
  void Dial();
  void NextRelayAfter(std::chrono::milliseconds wait);
  void Connected();
  void SayOn();
  void Received(std::string_view topic, BytesView payload);
  Bytes SignedPresence(bool on) const;

  boost::asio::io_context& io_;
  const AgentConfig& config_;
  const Identity& identity_;
  const Boot& boot_;
  Events events_;
  std::vector<RelayAddress> relays_;  // in the order in which they are tried
  std::size_t next_relay_ = 0;
  std::unique_ptr<MqttLink> link_;
  boost::asio::steady_timer next_;  // until the next relay is tried, while `waiting_`
  bool waiting_ = false;
  BackOff waits_;  // over all relays; each link has its own for its relay
};

}  // namespace mig::agent
