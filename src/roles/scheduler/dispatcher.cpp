#include "roles/scheduler/dispatcher.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "crypto/merkle.h"
#include "proto/command.h"
#include "proto/target.h"
#include "proto/topics.h"
#include "util/crash_point.h"
#include "util/json.h"
#include "util/log.h"
#include "util/text.h"

namespace mig::scheduler {
namespace {

// A scheduler that died leaves its actions to another one after this; one that lives renews its
// lease with every page.
constexpr std::chrono::seconds kLease{60};

// When the store refuses (full disk, locked by a backup), it is left alone for this long.
constexpr std::chrono::seconds kStorePause{1};

}  // namespace

// What a step of preparing did; filled on the writer thread, read on ours afterwards.
struct Dispatcher::Prepared {
  bool found = false;  // there was something; there may be more
  Cursors cursors;     // ours before the step, and ours after it when it is on disk
  std::vector<ActionId> changed;
  std::string log;  // a line for the log, of `changed.front()`
};

struct Dispatcher::Taken {
  struct Message {
    Sending sending;
    std::shared_ptr<const Bytes> bytes;
  };
  std::vector<Message> messages;
  bool full = false;  // there may be more
  Wakes wakes;
};

// The messages of the actions that are being sent, each built once for its thousands of agents; of
// an action with an audience, the tree that each agent's proof comes from.
class Dispatcher::EnvelopeCache {
 public:
  Expected<std::shared_ptr<const Bytes>> Find(store::ServerTx& tx, const ActionId& id,
                                              const AgentId& agent) {
    for (const Addressed& addressed : addressed_) {
      if (addressed.id == id) return MessageFor(addressed, agent);
    }
    for (const auto& [known, message] : messages_) {
      if (known == id) return message;
    }
    auto envelope = tx.FindActionEnvelope(id);
    if (!envelope) return std::move(envelope).error();
    if (!*envelope) return Error(Errc::kNotFound, "there is no action " + id.Text());
    auto fields = json::ParseObject(**envelope);
    if (!fields) return std::move(fields).error().During("action " + id.Text());
    auto audience = tx.FindAudience(id);
    if (!audience) return std::move(audience).error();
    if (*audience && !(*audience)->empty()) {
      if (addressed_.size() == kAddressed) addressed_.pop_front();
      addressed_.push_back(Address(id, std::move(*fields), **audience));
      return MessageFor(addressed_.back(), agent);
    }
    auto message = std::make_shared<const Bytes>(EncodeCommand(Command{std::move(*fields)}));
    if (messages_.size() == kCapacity) messages_.pop_front();
    messages_.emplace_back(id, message);
    return std::shared_ptr<const Bytes>(std::move(message));
  }

 private:
  static constexpr std::size_t kCapacity = 16;  // of at most 256 KiB
  static constexpr std::size_t kAddressed = 2;  // of some 30 MB for the largest audience

  struct Addressed {
    ActionId id;
    json::object envelope;
    std::vector<Bytes> ids;  // ascending
    MerkleTree tree;
  };

  // Requires: `ids` as the store gives them, and not empty.
  static Addressed Address(const ActionId& id, json::object envelope, BytesView ids) {
    std::vector<Bytes> leaves;
    for (std::size_t at = 0; at < ids.size(); at += AgentId::kBytes) {
      leaves.emplace_back(ids.substr(at, AgentId::kBytes));
    }
    MerkleTree tree(leaves);
    return {id, std::move(envelope), std::move(leaves), std::move(tree)};
  }

  static Expected<std::shared_ptr<const Bytes>> MessageFor(const Addressed& action,
                                                           const AgentId& agent) {
    const auto place = std::lower_bound(action.ids.begin(), action.ids.end(), agent.View());
    // No command is prepared for such an agent; it would refuse.
    if (place == action.ids.end() || *place != agent.View()) {
      return Error(Errc::kInvalid, "agent " + agent.Text() + " is not in its audience");
    }
    const auto index = static_cast<std::uint64_t>(place - action.ids.begin());
    Command command{action.envelope, AudienceProof{index, action.tree.Proof(index)}};
    return std::make_shared<const Bytes>(EncodeCommand(command));
  }

  std::deque<Addressed> addressed_;
  std::deque<std::pair<ActionId, std::shared_ptr<const Bytes>>> messages_;
};

Dispatcher::Dispatcher(boost::asio::io_context& io, StoreQueue& store, Relays& relays,
                       Announcer& announcer, Options options)
    : timer_(io),
      store_(store),
      relays_(relays),
      announcer_(announcer),
      options_(std::move(options)),
      envelopes_(std::make_unique<EnvelopeCache>()) {}
Dispatcher::~Dispatcher() = default;

void Dispatcher::Start() {
  auto open = std::make_shared<std::uint64_t>(0);
  store_.Write(
      {"scheduler.start.before_store", "scheduler.start.after_store"},
      [this, open](store::ServerTx& tx) -> Expected<void> {
        auto count = tx.MakeAllDue(options_.now());
        if (!count) return std::move(count).error();
        *open = *count;
        return {};
      },
      [this, open](const Expected<void>& outcome) {
        if (!outcome) {
          log::Error("cannot read the open commands", {{"error", outcome.error().message()}});
        } else if (*open > 0) {
          log::Info("sending open commands again", {{"commands", std::to_string(*open)}});
        }
        Wake();
      });
}

void Dispatcher::Wake() {
  Expire();
  Prepare();
  Send();
}

// ---- expanding actions into commands

void Dispatcher::Prepare() {
  if (preparing_) {
    prepare_again_ = true;
    return;
  }
  preparing_ = true;
  prepare_again_ = false;
  auto prepared = std::make_shared<Prepared>();
  prepared->cursors = cursors_;
  store_.Write(
      {"scheduler.prepare.before_store", "scheduler.prepare.after_store"},
      [this, prepared](store::ServerTx& tx) { return PrepareNext(tx, *prepared); },
      [this, prepared](const Expected<void>& outcome) {
        preparing_ = false;
        if (!outcome) {
          log::Error("cannot prepare an action", {{"error", outcome.error().message()}});
          Nap(kStorePause);
          return;
        }
        cursors_ = std::move(prepared->cursors);
        if (!prepared->log.empty()) {
          log::Info(prepared->log, {{"action", prepared->changed.front().Text()}});
        }
        for (const ActionId& id : prepared->changed) announcer_.ActionChanged(id);
        if (prepared->found) Send();
        if (prepared->found || prepare_again_) Prepare();
      });
}

// One page of one action, with all that follows from it, or nothing.
Expected<void> Dispatcher::PrepareNext(store::ServerTx& tx, Prepared& prepared) {
  const UtcTime now = options_.now();
  auto action = tx.FindActionToPrepare(options_.name, now);
  if (!action) return std::move(action).error();
  if (!*action) return {};
  const ActionId id = (*action)->id;
  const std::optional<ActionId> stops = (*action)->stops;
  prepared.found = true;
  prepared.changed.push_back(id);

  auto leased = tx.LeaseAction(id, options_.name, now + kLease, now);
  if (!leased) return std::move(leased).error();
  auto target = Target::Parse((*action)->target);
  if (!target) {
    // The API checks this; what is here was stored by another version.
    auto invalid = tx.SetActionStatus(id, ActionStatus::kInvalid, target.error().message(), now);
    if (!invalid) return std::move(invalid).error();
    prepared.log = "action is invalid: " + target.error().message();
    return {};
  }
  if ((*action)->status == ActionStatus::kScheduled) {
    auto begun = tx.SetActionStatus(id, ActionStatus::kPreparing, "", now);
    if (!begun) return std::move(begun).error();
    if (stops) {
      if (auto marked = tx.MarkStopped(*stops, id, now); !marked) return marked;
    }
  }
  auto page = tx.PrepareCommands(id, target->ToSql(now), prepared.cursors[id], kPreparePage, now);
  if (!page) return std::move(page).error();
  prepared.cursors[id] = page->next;
  if (page->done) {
    prepared.cursors.erase(id);
    auto flying = tx.SetActionStatus(id, ActionStatus::kInflight, "", now);
    if (!flying) return std::move(flying).error();
    auto completed = tx.CompleteAction(id, now);  // when there is nobody to ask
    if (!completed) return std::move(completed).error();
    auto counters = tx.CountCommands(id);
    if (!counters) return std::move(counters).error();
    prepared.log = "action prepared for " + Count(counters->targeted, "agent");
  }
  if (stops) {  // commands that were never sent are stopped already
    auto completed = tx.CompleteAction(*stops, now);
    if (!completed) return std::move(completed).error();
    prepared.changed.push_back(*stops);
  }
  return {};
}

// ---- ending what is overdue

void Dispatcher::Expire() {
  if (expiring_) return;
  expiring_ = true;
  auto expired = std::make_shared<store::ServerTx::Expired>();
  store_.Write(
      {"scheduler.expiry.before_store", "scheduler.expiry.after_store"},
      [this, expired](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        auto outcome = tx.ExpireOverdue(now - options_.rules.expiry_grace, kExpirePage, now);
        if (!outcome) return std::move(outcome).error();
        *expired = std::move(*outcome);
        return {};
      },
      [this, expired](const Expected<void>& outcome) {
        expiring_ = false;
        if (!outcome) {
          log::Error("cannot end overdue actions", {{"error", outcome.error().message()}});
          return;  // the next nap's end tries again
        }
        for (const ActionId& id : expired->actions) {
          log::Info("action's time is over", {{"action", id.Text()}});
          announcer_.ActionChanged(id);
        }
        if (!expired->done) Expire();
      });
}

// ---- sending

void Dispatcher::Send() {
  if (taking_) {
    take_again_ = true;
    return;
  }
  const std::vector<RelayState>& relays = relays_.States();
  if (!relays_.Any()) {  // who comes back wakes us; what ends meanwhile has to end all the same
    Nap(kLongestNap);
    return;
  }
  std::size_t room = 0;
  for (std::size_t i = 0; i < relays.size(); ++i) room = std::max(room, relays_.Room(i));
  if (room < kSendPage / 2) {  // by half pages: not one transaction for each acknowledgement
    waiting_for_room_ = true;
    Nap(kShortestNap);
    return;
  }
  taking_ = true;
  take_again_ = waiting_for_room_ = false;
  auto taken = std::make_shared<Taken>();
  const std::size_t limit = std::min(room, kSendPage);
  store_.Write(
      {"scheduler.take.before_store", "scheduler.take.after_store"},
      [this, limit, relays, taken](store::ServerTx& tx) { return Take(tx, limit, relays, *taken); },
      [this, taken](const Expected<void>& outcome) {
        taking_ = false;
        if (!outcome) {
          log::Error("cannot take due commands", {{"error", outcome.error().message()}});
          Nap(kStorePause);
          return;
        }
        for (auto& message : taken->messages) {
          Publish(message.sending, std::move(message.bytes));
        }
        Nap(NapLength(taken->wakes, options_.rules, options_.now()));
        if (taken->full || take_again_) Send();
      });
}

// The commands are marked as sent before they are: whatever happens in between, they are due again
// later, or when their agent shows itself.
Expected<void> Dispatcher::Take(store::ServerTx& tx, std::size_t limit,
                                const std::vector<RelayState>& relays, Taken& taken) {
  const UtcTime now = options_.now();
  auto due = tx.ListDueCommands(now, limit);
  if (!due) return std::move(due).error();
  taken.full = due->size() == limit;
  SendPlan plan = PlanSending(*due, relays, options_.rules, now);
  for (const Holding& holding : plan.holdings) {
    auto held = tx.SetDue(holding.command.action, holding.command.agent, holding.due);
    if (!held) return held;
    if (!holding.cloned) continue;
    auto told = tx.NoteHeld(holding.command.action, holding.command.agent,
                            "two machines use this agent's identity; see mig agents");
    if (!told) return told;
  }
  for (Sending& sending : plan.sendings) {
    auto message = envelopes_->Find(tx, sending.command.action, sending.command.agent);
    if (!message) {  // damaged; it must not keep the others from being sent
      log::Error("cannot send an action",
                 {{"action", sending.command.action.Text()}, {"error", message.error().message()}});
      auto held = tx.SetDue(sending.command.action, sending.command.agent, std::nullopt);
      if (!held) return held;
      continue;
    }
    auto marked = tx.MarkSent(sending.command.action, sending.command.agent, sending.again, now);
    if (!marked) return marked;
    taken.messages.push_back({std::move(sending), std::move(*message)});
  }
  auto deadlines = tx.NextDeadlines();
  if (!deadlines) return std::move(deadlines).error();
  taken.wakes = {deadlines->due, deadlines->valid, deadlines->expiry};
  return {};
}

void Dispatcher::Publish(const Sending& sending, std::shared_ptr<const Bytes> message) {
  const store::CommandRow& command = sending.command;
  if (command.status == CommandStatus::kPrepared) announcer_.ActionChanged(command.action);
  CrashPoint("scheduler.command.before_send");
  relays_.Post(sending.relay,
               {topics::Command(command.agent), std::move(message), sending.expiry, false,
                [this, action = command.action, agent = command.agent,
                 relay = sending.relay](const Expected<void>& outcome) {
                  if (outcome) {
                    CrashPoint("scheduler.command.after_send");
                  } else {
                    log::Debug("command not sent", {{"action", action.Text()},
                                                    {"agent", agent.Text()},
                                                    {"error", outcome.error().message()}});
                    // Lost with its connection: again as soon as there is one. Refused by the relay
                    // (its queue for this agent is full): the agent has enough to do.
                    const bool lost = outcome.error().code() == Errc::kUnavailable ||
                                      outcome.error().code() == Errc::kFull;
                    unsent_.push_back({action, agent,
                                       options_.now() + (lost ? std::chrono::milliseconds(0)
                                                              : options_.rules.resend_after)});
                    SendAgain();
                  }
                  if (waiting_for_room_ && relays_.Room(relay) >= kSendPage / 2) Send();
                }});
}

// Gives back what could not be sent, all that gathered in one work.
void Dispatcher::SendAgain() {
  if (returning_) return;
  returning_ = true;
  // By way of the store's queue, so that a burst of failures is collected meanwhile.
  store_.Write(
      {}, [](store::ServerTx&) -> Expected<void> { return {}; },
      [this](const Expected<void>&) {
        returning_ = false;
        auto unsent = std::make_shared<std::vector<Unsent>>(std::exchange(unsent_, {}));
        store_.Write(
            {"scheduler.unsent.before_store", "scheduler.unsent.after_store"},
            [unsent](store::ServerTx& tx) -> Expected<void> {
              for (const Unsent& command : *unsent) {
                auto marked = tx.MarkUnsent(command.action, command.agent, command.due);
                if (!marked) return marked;
              }
              return {};
            },
            [this](const Expected<void>& outcome) {
              if (!outcome) {
                log::Error("cannot give back unsent commands",
                           {{"error", outcome.error().message()}});
              }
              Send();
            });
      });
}

// The earliest of the naps that were asked for counts; waking too early costs little.
void Dispatcher::Nap(std::chrono::milliseconds length) {
  const auto end = std::chrono::steady_clock::now() + length;
  if (napping_ && timer_.expiry() <= end) return;
  napping_ = true;
  timer_.expires_at(end);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    napping_ = false;
    Wake();
  });
}

}  // namespace mig::scheduler
