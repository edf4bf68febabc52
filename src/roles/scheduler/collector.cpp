#include "roles/scheduler/collector.h"

#include <utility>

#include "proto/command.h"
#include "proto/topics.h"
#include "roles/scheduler/twins.h"
#include "util/crash_point.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::scheduler {
namespace {

constexpr std::size_t kMaxKeys = 200'000;    // about 30 MB
constexpr std::size_t kMaxAckedParts = 256;  // proto/command.h

Expected<void> AuditSeen(store::ServerTx& tx, const AgentId& agent, const store::Seen& seen,
                         UtcTime now) {
  if (seen.ledger_back) {
    auto told = tx.Audit("scheduler", "agent.ledger_back", agent.Text(), "{}", now);
    if (!told) return told;
  }
  if (!seen.new_clone) return {};
  return tx.Audit("scheduler", "agent.cloned", agent.Text(), "{}", now);
}

}  // namespace

Collector::Collector(StoreQueue& store, Relays& relays, Announcer& announcer,
                     Dispatcher& dispatcher, Options options)
    : store_(store),
      relays_(relays),
      announcer_(announcer),
      dispatcher_(dispatcher),
      options_(std::move(options)) {}

void Collector::Receive(std::size_t relay, std::string_view topic, BytesView payload) {
  auto opened = OpenMessage(topic, payload);
  if (const auto* rejected = std::get_if<Rejected>(&opened)) {
    Reject(*rejected);
    return;
  }
  Sealed& sealed = std::get<Sealed>(opened);
  const AgentId agent = sealed.up.agent;
  if (waiting_ >= options_.max_waiting ||
      waiting_bytes_ + payload.size() > options_.max_waiting_bytes) {
    Reject({Flaw::kOverload, agent, "the store is behind; the agent sends it again"});
    return;
  }
  const auto known = keys_.find(agent);
  if (known != keys_.end()) {
    Verify(relay, std::move(sealed), known->second);
    return;
  }
  ++waiting_;
  waiting_bytes_ += payload.size();
  auto key = std::make_shared<std::optional<Bytes>>();
  auto held = std::make_shared<Sealed>(std::move(sealed));
  store_.Write(
      {},
      [key, agent](store::ServerTx& tx) -> Expected<void> {
        auto found = tx.FindAgentKey(agent);
        if (!found) return std::move(found).error();
        *key = std::move(*found);
        return {};
      },
      [this, relay, key, held, agent](const Expected<void>& outcome) {
        --waiting_;
        waiting_bytes_ -= held->text.size();
        if (!outcome) {
          StoreFailed("find an agent's key", outcome.error());
          return;
        }
        if (!*key) {
          Reject({Flaw::kUnknownAgent, agent, "not enrolled here"});
          return;
        }
        auto parsed = PublicKey::FromBytes(**key);
        if (!parsed) {
          Reject({Flaw::kSignature, agent, "its enrolled key is damaged"});
          return;
        }
        if (keys_.size() >= kMaxKeys) keys_.clear();
        keys_.emplace(agent, *parsed);
        Verify(relay, std::move(*held), *parsed);
      });
}

void Collector::Verify(std::size_t relay, Sealed sealed, const PublicKey& key) {
  auto verified = VerifyMessage(std::move(sealed), key);
  if (const auto* rejected = std::get_if<Rejected>(&verified)) {
    Reject(*rejected);
    return;
  }
  std::visit([&](auto& message) { Take(relay, std::move(message)); }, std::get<Arrival>(verified));
}

// ---- presence

void Collector::Take(std::size_t relay, Heartbeat heartbeat) {
  auto seen = std::make_shared<store::Seen>();
  const AgentId agent = heartbeat.agent;
  const std::uint64_t held_policy = heartbeat.policy;
  store_.Write(
      {"scheduler.presence.before_store", "scheduler.presence.after_store"},
      [this, seen, beat = std::move(heartbeat)](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        auto outcome = tx.RecordHeartbeat(beat, now);
        if (!outcome) return std::move(outcome).error();
        *seen = *outcome;
        if (seen->came_on) {
          auto due = tx.MakeDue(beat.agent, now);
          if (!due) return std::move(due).error();
        }
        if (seen->fresh && !beat.host.empty()) {
          auto twins = tx.ListTwins(beat.host);
          if (!twins) return std::move(twins).error();
          for (const store::NewProposal& proposal : ProposeForTwins(*twins, now)) {
            auto proposed = tx.Propose(proposal, now);
            if (!proposed) return std::move(proposed).error();
            if (*proposed != store::Proposed::kNew) continue;
            auto told = tx.Audit("scheduler", "action.proposed", proposal.subject, "{}", now);
            if (!told) return told;
          }
        }
        return AuditSeen(tx, beat.agent, *seen, now);
      },
      [this, relay, agent, held_policy, seen](const Expected<void>& outcome) {
        if (!outcome) {
          StoreFailed("record a heartbeat", outcome.error());
          return;
        }
        AgentSeen(relay, agent, *seen);
        // It missed the retained message, or its relay has lost it.
        if (seen->fresh && !seen->came_on && held_policy < policy_.version) {
          SendPolicy(relay, agent);
        }
      });
}

void Collector::Take(std::size_t relay, Presence presence) {
  auto seen = std::make_shared<store::Seen>();
  const AgentId agent = presence.agent;
  store_.Write(
      {"scheduler.presence.before_store", "scheduler.presence.after_store"},
      [this, seen, presence = std::move(presence),
       name = relays_.States()[relay].name](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        auto outcome = tx.RecordPresence(presence, name, now);
        if (!outcome) return std::move(outcome).error();
        *seen = *outcome;
        if (seen->came_on) {
          // Whatever was sent to it before may be lost with its connection.
          auto due = tx.MakeDue(presence.agent, now);
          if (!due) return std::move(due).error();
        }
        return AuditSeen(tx, presence.agent, *seen, now);
      },
      [this, relay, agent, seen](const Expected<void>& outcome) {
        if (!outcome) {
          StoreFailed("record an agent's presence", outcome.error());
          return;
        }
        AgentSeen(relay, agent, *seen);
      });
}

void Collector::AgentSeen(std::size_t relay, const AgentId& agent, const store::Seen& seen) {
  if (seen.new_clone) {
    log::Warning("two machines use one agent's identity: was an image cloned with its key?",
                 {{"agent", agent.Text()}});
  }
  if (seen.ledger_back) TellLedgerBack(agent);
  if (seen.came_on || seen.went_off || seen.new_clone) announcer_.AgentChanged(agent);
  // Whichever of the two is connected; they take turns, so each is told.
  if (seen.held && (seen.came_on || seen.new_clone)) TellHeld(relay, agent);
  if (!seen.came_on) return;
  SendPolicy(relay, agent);
  dispatcher_.Send();
}

void Collector::TellLedgerBack(const AgentId& agent) {
  log::Warning("an agent's ledger went back: altered, or an older state of its disk was put back",
               {{"agent", agent.Text()}});
  announcer_.AgentChanged(agent);
}

void Collector::SendPolicy(std::size_t relay, const AgentId& agent) {
  if (policy_.message == nullptr) return;
  constexpr std::chrono::seconds kExpiry{3600};
  CrashPoint("scheduler.policy.before_send");
  // Lost, it comes again with the agent's next `on`, or after a heartbeat that shows an older one.
  relays_.Post(relay, {topics::Control(agent), policy_.message, kExpiry, false,
                       [](const Expected<void>& outcome) {
                         if (outcome) CrashPoint("scheduler.policy.after_send");
                       }});
}

void Collector::TellHeld(std::size_t relay, const AgentId& agent) {
  // Not kept for long: it would be told to one that was released meanwhile.
  constexpr std::chrono::seconds kExpiry{60};
  relays_.Post(
      relay, {topics::Control(agent), std::make_shared<const Bytes>(EncodeControl(IdentityHeld())),
              kExpiry, false, [](const Expected<void>&) {}});
}

// ---- receipts and results

void Collector::Take(std::size_t, Receipt receipt) {
  struct Outcome {
    bool asked = true;
    std::vector<ActionId> changed;
  };
  auto recorded = std::make_shared<Outcome>();
  const AgentId agent = receipt.agent;
  const ActionId action = receipt.action;
  ++waiting_;
  store_.Write(
      {"scheduler.receipt.before_store", "scheduler.receipt.after_store"},
      [this, recorded, receipt = std::move(receipt)](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        auto moved = tx.RecordReceipt(receipt, now + options_.rules.busy_after, now);
        if (!moved) {
          recorded->asked = moved.error().code() != Errc::kNotFound;
          return std::move(moved).error();
        }
        if (!*moved) return {};
        recorded->changed.push_back(receipt.action);
        // A refusal may have been the last answer, and so may the receipt of a stop, which also
        // ends what it stopped.
        auto row = tx.FindAction(receipt.action);
        if (!row) return std::move(row).error();
        auto completed = tx.CompleteAction(receipt.action, now);
        if (!completed) return std::move(completed).error();
        if (!*row || !(*row)->stops) return {};
        recorded->changed.push_back(*(*row)->stops);
        auto stopped = tx.CompleteAction(*(*row)->stops, now);
        if (!stopped) return std::move(stopped).error();
        return {};
      },
      [this, recorded, agent, action](const Expected<void>& outcome) {
        --waiting_;
        if (!recorded->asked) {
          Reject({Flaw::kNotAsked, agent, "receipt for action " + action.Text()});
        } else if (!outcome) {
          StoreFailed("record a receipt", outcome.error());
        } else {
          for (const ActionId& id : recorded->changed) announcer_.ActionChanged(id);
        }
      });
}

void Collector::Take(std::size_t relay, Part part) {
  const std::size_t bytes = part.envelope.size();
  store::IncomingPart incoming;
  incoming.action = part.part.action;
  incoming.agent = part.part.agent;
  incoming.seq = part.part.seq;
  incoming.last = part.part.last;
  if (incoming.last) incoming.status = FinalStatus(part.part);
  incoming.found = FoundAnything(part.part);
  incoming.digest = std::move(part.digest);
  incoming.envelope = std::move(part.envelope);

  struct Outcome {
    store::AddedPart part;
    bool ledger_back = false;
  };
  auto added = std::make_shared<Outcome>();
  const AgentId agent = incoming.agent;
  const ActionId action = incoming.action;
  const std::uint64_t seq = incoming.seq;
  ++waiting_;
  waiting_bytes_ += bytes;
  store_.Write(
      {"scheduler.part.before_store", "scheduler.part.after_store"},
      [this, added, incoming = std::move(incoming), ledger = std::move(part.part.ledger),
       signed_at = part.part.time](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        auto outcome = tx.AddPart(incoming, now);
        if (!outcome) return std::move(outcome).error();
        added->part = *outcome;
        auto back = tx.RecordLedger(incoming.agent, ledger, signed_at, now);
        if (!back) return std::move(back).error();
        added->ledger_back = *back;
        if (*back) {
          store::Seen seen;
          seen.ledger_back = true;
          auto audited = AuditSeen(tx, incoming.agent, seen, now);
          if (!audited) return audited;
        }
        if (!added->part.finished) return {};
        auto completed = tx.CompleteAction(incoming.action, now);
        if (!completed) return std::move(completed).error();
        return {};
      },
      [this, relay, agent, action, seq, bytes, added](const Expected<void>& outcome) {
        --waiting_;
        waiting_bytes_ -= bytes;
        if (!outcome) {
          StoreFailed("store a result", outcome.error());
          return;
        }
        const std::string what = "part " + std::to_string(seq) + " of action " + action.Text();
        if (added->ledger_back) TellLedgerBack(agent);
        switch (added->part.outcome) {
          case store::PartOutcome::kStored:
            announcer_.ActionChanged(action);
            [[fallthrough]];
          case store::PartOutcome::kRepeated:
            Acknowledge(relay, agent, action, seq);
            return;
          case store::PartOutcome::kNoCommand:
            Reject({Flaw::kNotAsked, agent, what});
            return;
          case store::PartOutcome::kConflict:
            Reject({Flaw::kConflict, agent, what});
            return;
          case store::PartOutcome::kTooMuch:
            Reject({Flaw::kTooMuch, agent, what});
            return;
        }
      });
}

void Collector::Acknowledge(std::size_t relay, const AgentId& agent, const ActionId& action,
                            std::uint64_t seq) {
  // One commit brings many back: what arrives on our thread in one go is acknowledged together.
  if (acknowledgements_.empty()) store_.Later([this] { SendAcknowledgements(); });
  auto& parts = acknowledgements_[{relay, agent, action}];
  parts.push_back(seq);
  if (parts.size() == kMaxAckedParts) SendAcknowledgements();
}

void Collector::SendAcknowledgements() {
  for (auto& [to, parts] : std::exchange(acknowledgements_, {})) {
    CrashPoint("scheduler.ack.before_send");
    relays_.Post(
        to.relay,
        {topics::Control(to.agent),
         std::make_shared<const Bytes>(EncodeControl(Acknowledgement{to.action, std::move(parts)})),
         std::chrono::seconds(3600), false, [](const Expected<void>& outcome) {
           if (outcome) CrashPoint("scheduler.ack.after_send");
         }});
  }
}

// ---- what was not taken

void Collector::Reject(const Rejected& rejected) {
  const auto count = tally_.Count(rejected.flaw, rejected.agent, options_.now());
  if (!count) return;
  log::Warning("message not taken", {{"flaw", std::string(FlawName(rejected.flaw))},
                                     {"agent", rejected.agent ? rejected.agent->Text() : "unknown"},
                                     {"detail", EscapeForTerminal(rejected.detail)},
                                     {"count", std::to_string(*count)},
                                     {"total", std::to_string(tally_.total(rejected.flaw))}});
}

void Collector::StoreFailed(std::string_view what, const Error& error) {
  const Flaw flaw = error.code() == Errc::kFull ? Flaw::kOverload : Flaw::kStore;
  Reject({flaw, std::nullopt, "cannot " + std::string(what) + ": " + error.message()});
}

}  // namespace mig::scheduler
