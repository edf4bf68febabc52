// The way down: turns scheduled actions into commands, sends what is due, and ends what is overdue.
// Everything it knows is in the store; it may be killed between any two steps and begins again
// where the store says. What is to be done with a command is decided in plan.h.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "roles/scheduler/announcer.h"
#include "roles/scheduler/plan.h"
#include "roles/scheduler/relays.h"
#include "roles/scheduler/store_queue.h"

namespace mig::scheduler {

class Dispatcher {
 public:
  struct Options {
    std::string name;  // of this scheduler, for leases
    PlanRules rules;
    std::function<UtcTime()> now = Now;
  };
  // Agents and commands of one transaction: about 20 ms of the one lock that the API needs as well.
  static constexpr std::size_t kPreparePage = 1000;
  static constexpr std::size_t kSendPage = 200;
  static constexpr std::size_t kExpirePage = 500;

  // All outlive this.
  Dispatcher(boost::asio::io_context& io, StoreQueue& store, Relays& relays, Announcer& announcer,
             Options options);
  ~Dispatcher();

  // Once, before anything else: what is open is sent again, since nobody knows what became of it.
  void Start();
  // There may be something to do: an action came, a relay is back. Cheap, also when there is not.
  void Wake();
  // Commands became due, or a relay has room.
  void Send();

 private:
  // Where the expansion of actions that needs several pages goes on. Not in the store: after a
  // restart it begins anew, and who has a command already keeps it.
  using Cursors = std::map<ActionId, std::int64_t>;
  struct Prepared;
  struct Taken;
  class EnvelopeCache;

  void Prepare();
  Expected<void> PrepareNext(store::ServerTx& tx, Prepared& prepared);
  void Expire();
  Expected<void> Take(store::ServerTx& tx, std::size_t limit, const std::vector<RelayState>& relays,
                      Taken& taken);
  void Publish(const Sending& sending, std::shared_ptr<const Bytes> message);
  void SendAgain();
  void Nap(std::chrono::milliseconds length);

  boost::asio::steady_timer timer_;
  StoreQueue& store_;
  Relays& relays_;
  Announcer& announcer_;
  const Options options_;

  // Each of the three works is queued at most once, and once more when something came meanwhile.
  bool preparing_ = false, prepare_again_ = false;
  bool taking_ = false, take_again_ = false;
  bool expiring_ = false;
  bool waiting_for_room_ = false;
  bool napping_ = false;
  Cursors cursors_;

  // Commands whose publishing failed, with when to try again; written back together.
  struct Unsent {
    ActionId action;
    AgentId agent;
    UtcTime due;
  };
  std::vector<Unsent> unsent_;
  bool returning_ = false;

  const std::unique_ptr<EnvelopeCache> envelopes_;  // Only on the store's writer thread.
};

}  // namespace mig::scheduler
