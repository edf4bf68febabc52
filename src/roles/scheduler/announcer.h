// Tells the API's live streams which actions and agents changed (topics mig/v1/event/…; ids only,
// receivers read the store). Changes of one action within kPause are told once, so that ten
// thousand answers are twenty events a second, and a lone one is told at once.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <set>

#include "proto/ids.h"
#include "proto/topics.h"
#include "roles/scheduler/relays.h"

namespace mig::scheduler {

class Announcer {
 public:
  static constexpr std::chrono::milliseconds kPause{50};
  // Of agents that changed in one pause; more need no events, whoever follows reads the list anew.
  static constexpr std::size_t kMaxAgents = 100;

  Announcer(boost::asio::io_context& io, Relays& relays) : timer_(io), relays_(relays) {}

  void ActionChanged(const ActionId& id);
  void AgentChanged(const AgentId& id);
  void PolicyChanged(std::uint64_t version) {
    Send(topics::kPolicyEvent, std::to_string(version));
  }
  // To be called when a line came up: this scheduler may have died between a write and its event.
  void SchedulerCameUp(const std::string& name) { Send(topics::kSchedulerEvent, name); }

 private:
  void Tell();
  void Send(std::string_view topic, Bytes id);

  boost::asio::steady_timer timer_;
  Relays& relays_;
  bool pausing_ = false;
  std::set<ActionId> actions_;
  std::set<AgentId> agents_;
};

}  // namespace mig::scheduler
