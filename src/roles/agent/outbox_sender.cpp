#include "roles/agent/outbox_sender.h"

#include <algorithm>

#include "roles/agent/crash_points.h"
#include "util/log.h"

namespace mig::agent {
namespace {

constexpr std::uint64_t kPageBytes = 512 << 10;

}  // namespace

OutboxSender::OutboxSender(store::AgentDb& db, Publish publish, Clock clock)
    : db_(db), publish_(std::move(publish)), clock_(std::move(clock)) {}

void OutboxSender::Connected() {
  connected_ = true;
  ++connection_;
  in_flight_ = 0;
  silence_ = kFirstSilence;
  Restart();
  Pump();
}

void OutboxSender::Lost() {
  connected_ = false;
  wake_at_.reset();
}

void OutboxSender::Stored() { Pump(); }

void OutboxSender::Repeated() {
  Restart();
  Pump();
}

void OutboxSender::Acknowledged(const Acknowledgement& acknowledgement) {
  Crash("agent.acknowledge.before");
  if (auto ok = db_.Acknowledge(acknowledgement.action, acknowledgement.parts); !ok) {
    // They will be sent again, and acknowledged again.
    log::Error("an acknowledgement cannot be stored", {{"reason", ok.error().message()}});
    return;
  }
  Crash("agent.acknowledge.stored");
  silence_ = kFirstSilence;
  if (!db_.HasWaiting()) {
    wake_at_.reset();
  } else {
    AwaitWord();
    Pump();
  }
}

void OutboxSender::AwaitWord() {
  if (connected_) wake_at_ = clock_() + silence_;
}

void OutboxSender::Wake() {
  if (!wake_at_ || clock_() < *wake_at_) return;
  wake_at_.reset();
  if (!connected_ || !db_.HasWaiting()) return;
  silence_ = std::min(silence_ * 2, kLongestSilence);
  Restart();
  Pump();
}

void OutboxSender::Taken(std::uint64_t connection, const Expected<void>& taken) {
  if (connection != connection_) return;
  --in_flight_;
  if (taken) {
    Pump();
  } else if (connected_) {
    log::Warning("the relay did not take a result", {{"reason", taken.error().message()}});
    Restart();
    wake_at_ = clock_() + kFirstSilence;
  }
}

void OutboxSender::Pump() {
  if (!connected_ || !db_.HasWaiting()) return;
  while (in_flight_ < kWindow) {
    auto page = db_.Waiting(sent_up_to_, kPageBytes);
    if (!page) {
      log::Error("the outbox cannot be read", {{"reason", page.error().message()}});
      wake_at_ = clock_() + kFirstSilence;
      return;
    }
    if (page->empty()) break;
    for (const store::StoredPart& part : *page) {
      if (in_flight_ >= kWindow) break;
      ++in_flight_;
      sent_up_to_ = part.number;
      Crash("agent.send.before");
      publish_(part, [this, connection = connection_](Expected<void> taken) {
        Taken(connection, taken);
      });
      Crash("agent.send.sent");
    }
  }
  if (!wake_at_) AwaitWord();
}

}  // namespace mig::agent
