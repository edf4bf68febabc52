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

}  // namespace mig::scheduler
