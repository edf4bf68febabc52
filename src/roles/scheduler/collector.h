// The way up: what agents say is verified (intake.h), written to the store, and only then
// acknowledged. Nothing here is fatal: what cannot be believed is counted, logged at a bounded
// rate, and dropped; agents repeat what is not acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "roles/scheduler/announcer.h"
#include "roles/scheduler/dispatcher.h"
#include "roles/scheduler/intake.h"
#include "roles/scheduler/relays.h"
#include "roles/scheduler/store_queue.h"
#include "roles/scheduler/tally.h"

namespace mig::scheduler {

// The policy as agents get it: documents that verify themselves.
struct PolicyMessage {
  std::uint64_t version = 0;
  std::shared_ptr<const Bytes> message;  // an encoded PolicyUpdate
};

class Collector {
 public:
  struct Options {
    PlanRules rules;
    // Of messages between arrival and commit: beyond, they are dropped (Flaw::kOverload).
    std::size_t max_waiting = 16'384;
    std::size_t max_waiting_bytes = std::size_t{64} << 20;
    std::function<UtcTime()> now = Now;
  };

  // All outlive this.
  Collector(StoreQueue& store, Relays& relays, Announcer& announcer, Dispatcher& dispatcher,
            Options options);

  // A message on a topic below mig/v1/up, from relay `relay`.
  void Receive(std::size_t relay, std::string_view topic, BytesView payload);

  void SetPolicy(PolicyMessage policy) { policy_ = std::move(policy); }

  Tally& tally() { return tally_; }

 private:
  void Verify(std::size_t relay, Sealed sealed, const PublicKey& key);
  void Take(std::size_t relay, Heartbeat heartbeat);
  void Take(std::size_t relay, Presence presence);
  void Take(std::size_t relay, Receipt receipt);
  void Take(std::size_t relay, Part part);
  void AgentSeen(std::size_t relay, const AgentId& agent, const store::Seen& seen);
  void TellLedgerBack(const AgentId& agent);
  void SendPolicy(std::size_t relay, const AgentId& agent);
  void TellHeld(std::size_t relay, const AgentId& agent);
  void Acknowledge(std::size_t relay, const AgentId& agent, const ActionId& action,
                   std::uint64_t seq);
  void SendAcknowledgements();
  void Reject(const Rejected& rejected);
  void StoreFailed(std::string_view what, const Error& error);

  StoreQueue& store_;
  Relays& relays_;
  Announcer& announcer_;
  Dispatcher& dispatcher_;
  const Options options_;
  PolicyMessage policy_;
  Tally tally_;
  std::size_t waiting_ = 0, waiting_bytes_ = 0;

  // An id is the hash of its key, so what is here stays true; forgotten as a whole when full.
  std::unordered_map<AgentId, PublicKey> keys_;

  // Parts that are on disk, until the acknowledgements of one turn are sent together.
  struct AckKey {
    std::size_t relay;
    AgentId agent;
    ActionId action;
    auto operator<=>(const AckKey&) const = default;
  };
  std::map<AckKey, std::vector<std::uint64_t>> acknowledgements_;
};

}  // namespace mig::scheduler
