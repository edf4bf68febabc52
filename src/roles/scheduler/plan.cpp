#include "roles/scheduler/plan.h"

#include <algorithm>
#include <cassert>

namespace mig::scheduler {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds ResendDelay(std::uint32_t attempts, const PlanRules& rules) {
  milliseconds delay = rules.resend_after;
  for (; attempts > 0 && delay < rules.resend_longest; --attempts) delay *= 2;
  return std::min(delay, rules.resend_longest);
}

// The relay where the agent came on last. One that is not in our configuration any more, or of an
// agent that never came on, is any other's business: the message waits there for nobody, and the
// agent's next `on` says better.
std::optional<std::size_t> RelayFor(const std::string& name, std::span<const RelayState> relays) {
  const auto known = std::ranges::find(relays, name, &RelayState::name);
  if (known != relays.end()) {
    if (!known->connected) return std::nullopt;
    return static_cast<std::size_t>(known - relays.begin());
  }
  const auto any = std::ranges::find(relays, true, &RelayState::connected);
  if (any == relays.end()) return std::nullopt;
  return static_cast<std::size_t>(any - relays.begin());
}

}  // namespace

SendPlan PlanSending(std::span<const store::DueRow> due, std::span<const RelayState> relays,
                     const PlanRules& rules, UtcTime now) {
  assert(!relays.empty());
  SendPlan plan;
  for (const store::DueRow& row : due) {
    if (row.expireafter <= now) {  // expiry ends it
      plan.holdings.push_back({row.command, std::nullopt});
      continue;
    }
    // The agent would only learn of an action that it must not run; its stop goes to it instead.
    if (row.stopped && row.kind != Kind::kStop) {
      plan.holdings.push_back({row.command, std::nullopt});
      continue;
    }
    // Two machines would take it for theirs. A stop may reach both.
    if (row.held && row.kind != Kind::kStop) {
      plan.holdings.push_back({row.command, std::nullopt, true});
      continue;
    }
    // The first sending to an absent agent waits for it at the relay. More would only pile up
    // there; when it comes on, it is sent to anyway.
    if (!row.connected && row.command.attempts > 0) {
      plan.holdings.push_back({row.command, std::nullopt});
      continue;
    }
    const auto relay = RelayFor(row.relay, relays);
    if (!relay) {
      plan.holdings.push_back({row.command, now + rules.resend_after});
      continue;
    }
    Sending sending;
    sending.command = row.command;
    sending.relay = *relay;
    sending.expiry =
        std::max(seconds(1), std::chrono::duration_cast<seconds>(row.expireafter - now));
    if (row.connected) sending.again = now + ResendDelay(row.command.attempts, rules);
    plan.sendings.push_back(std::move(sending));
  }
  return plan;
}

UtcTime EndOfGrace(UtcTime expireafter, const PlanRules& rules) {
  return expireafter + rules.expiry_grace;
}

milliseconds NapLength(const Wakes& wakes, const PlanRules& rules, UtcTime now) {
  milliseconds nap = kLongestNap;
  const auto until = [&](UtcTime time) { nap = std::min(nap, time - now); };
  if (wakes.due) until(*wakes.due);
  if (wakes.valid) until(*wakes.valid);
  if (wakes.expiry) until(EndOfGrace(*wakes.expiry, rules) + milliseconds(1));
  return std::max(nap, kShortestNap);
}

}  // namespace mig::scheduler
