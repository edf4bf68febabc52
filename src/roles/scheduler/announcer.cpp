#include "roles/scheduler/announcer.h"

#include <utility>

#include "proto/topics.h"
#include "util/crash_point.h"

namespace mig::scheduler {

void Announcer::ActionChanged(const ActionId& id) {
  actions_.insert(id);
  if (!pausing_) Tell();
}

void Announcer::AgentChanged(const AgentId& id) {
  if (agents_.size() < kMaxAgents) agents_.insert(id);
  if (!pausing_) Tell();
}

void Announcer::Tell() {
  for (const ActionId& id : std::exchange(actions_, {})) Send(topics::kActionEvent, id.Text());
  for (const AgentId& id : std::exchange(agents_, {})) Send(topics::kAgentEvent, id.Text());
  pausing_ = true;
  timer_.expires_after(kPause);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
    pausing_ = false;
    if (!actions_.empty() || !agents_.empty()) Tell();
  });
}

void Announcer::Send(std::string_view topic, Bytes id) {
  const auto relay = relays_.Any();
  if (!relay) return;  // nobody listens; whoever comes back reads the store
  // Worth nothing later: a stream that missed it looks at the store when it reconnects.
  constexpr std::chrono::seconds kExpiry{60};
  CrashPoint("scheduler.event.before_send");
  relays_.Post(*relay, {std::string(topic), std::make_shared<const Bytes>(std::move(id)), kExpiry,
                        false, [](const Expected<void>& outcome) {
                          if (outcome) CrashPoint("scheduler.event.after_send");
                        }});
}

}  // namespace mig::scheduler
