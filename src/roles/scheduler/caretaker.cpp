#include "roles/scheduler/caretaker.h"

#include <memory>
#include <vector>

#include "util/log.h"

namespace mig::scheduler {
namespace {

constexpr std::size_t kStatusPage = 500;

}  // namespace

void Caretaker::Start() {
  if (rounds_++ % options_.rounds_between_statistics == 0) KeepStatistics();
  KeepTally();
  RefreshStatus();
}

void Caretaker::RefreshStatus() {
  auto changed = std::make_shared<std::vector<AgentId>>();
  store_.Write(
      {"scheduler.status.before_store", "scheduler.status.after_store"},
      [this, changed](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        auto ids = tx.RefreshAgentStatus(now - options_.idle_after, now - options_.offline_after,
                                         kStatusPage);
        if (!ids) return std::move(ids).error();
        *changed = std::move(*ids);
        return {};
      },
      [this, changed](const Expected<void>& outcome) {
        if (!outcome) {
          log::Error("cannot refresh the agents' status", {{"error", outcome.error().message()}});
        }
        for (const AgentId& id : *changed) announcer_.AgentChanged(id);
        if (outcome && changed->size() == kStatusPage) {
          RefreshStatus();
          return;
        }
        timer_.expires_after(options_.round);
        timer_.async_wait([this](const boost::system::error_code& cancelled) {
          if (!cancelled) Start();
        });
      });
}

void Caretaker::KeepStatistics() {
  store_.Write(
      {"scheduler.statistics.before_store", "scheduler.statistics.after_store"},
      [this](store::ServerTx& tx) -> Expected<void> {
        const UtcTime now = options_.now();
        if (auto done = tx.RecordStatistics(now); !done) return done;
        return tx.ForgetLapsed(now);
      },
      [](const Expected<void>& outcome) {
        if (!outcome) {
          log::Error("cannot record statistics", {{"error", outcome.error().message()}});
        }
      });
}

// Once a round, not once a message: garbage must not make the store write.
void Caretaker::KeepTally() {
  auto fresh = std::make_shared<const std::vector<Tally::Fresh>>(tally_.TakeFresh());
  if (fresh->empty()) return;
  store_.Write(
      {},
      [fresh](store::ServerTx& tx) -> Expected<void> {
        for (const Tally::Fresh& entry : *fresh) {
          auto added = tx.AddNotTaken({std::string(FlawName(entry.flaw)),
                                       entry.agent ? entry.agent->Text() : std::string(),
                                       entry.count, entry.first, entry.last});
          if (!added) return added;
        }
        return {};
      },
      [this, fresh](const Expected<void>& outcome) {
        if (outcome) return;
        log::Error("cannot store what was not taken", {{"error", outcome.error().message()}});
        for (const Tally::Fresh& entry : *fresh) tally_.GiveBack(entry);
      });
}

}  // namespace mig::scheduler
