#include "roles/agent/relay_line.h"

#include <algorithm>
#include <random>

#include "roles/agent/crash_points.h"
#include "util/log.h"

namespace mig::agent {
namespace {

// How long a relay that was there may be away before the next in the list is tried: one that is
// started again takes less, and keeps its agents.
constexpr std::chrono::seconds kPatience{5};
// Before the next relay is tried when one cannot be had at all.
constexpr std::chrono::milliseconds kFirstWait{200};
// A receipt or part that the relay could not pass on for so long is sent again anyway.
constexpr std::chrono::seconds kResultExpiry{3600};

}  // namespace

RelayLine::RelayLine(boost::asio::io_context& io, const AgentConfig& config,
                     const Identity& identity, const Boot& boot, Events events)
    : io_(io),
      config_(config),
      identity_(identity),
      boot_(boot),
      events_(std::move(events)),
      relays_(config.relays),
      next_(io),
      waits_(kFirstWait, config.reconnect_longest) {
  // Each agent its own order: that spreads a fleet over the relays.
  std::shuffle(relays_.begin(), relays_.end(), std::random_device());
}

void RelayLine::Start() {
  if (!link_) Dial();
}

Bytes RelayLine::SignedPresence(bool on) const {
  return identity_.Sign(kPresenceType,
                        EncodePresence(MakePresence(identity_.id(), boot_, on, Now())));
}

void RelayLine::Dial() {
  const RelayAddress& relay = relays_[next_relay_++ % relays_.size()];
  LinkOptions options;
  options.host = relay.host;
  options.port = relay.port;
  options.websocket = relay.websocket;
  options.proxy = config_.proxy;
  options.tls.ca_file = config_.ca.string();
  options.tls.certificate_file = config_.CertificateFile().string();
  options.tls.key_file = config_.TlsKeyFile().string();
  options.client_id = identity_.id().Text();
  options.backoff_longest = config_.reconnect_longest;
  LinkHandlers handlers;
  handlers.connected = [this](bool) { Connected(); };
  handlers.message = [this](std::string_view topic, BytesView payload) {
    Received(topic, payload);
  };
  handlers.lost = [this](const Error& reason) {
    log::Warning("relay lost", {{"reason", reason.message()}});
    events_.lost();
    NextRelayAfter(kPatience);
  };
  handlers.failed = [this,
                     random = std::minstd_rand(std::random_device()())](const Error&) mutable {
    // In its patience with a relay that was there the link goes on trying that one.
    if (!waiting_) {
      NextRelayAfter(
          waits_.Next(std::uniform_int_distribution<std::uint32_t>(0, UINT32_MAX)(random)));
    }
  };
  link_ = std::make_unique<MqttLink>(io_, std::move(options), std::move(handlers));
  link_->SetWill([this] {
    return LinkWill{topics::Presence(identity_.id()), SignedPresence(false)};
  });
  link_->Subscribe({topics::AgentFilter(identity_.id()), std::string(topics::kAllFilter)});
  log::Info("connecting", {{"relay", relay.Text()}});
  link_->Start();
}

void RelayLine::NextRelayAfter(std::chrono::milliseconds wait) {
  if (relays_.size() < 2) return;  // the link itself goes on trying
  waiting_ = true;
  next_.expires_after(wait);
  next_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    waiting_ = false;
    if (link_ && !link_->connected()) Dial();
  });
}

void RelayLine::Connected() {
  next_.cancel();
  waiting_ = false;
  waits_.Reset();
  log::Info("connected");
  SayOn();
  events_.connected();
}

void RelayLine::SayOn() {
  Crash("agent.presence.before");
  link_->Publish(topics::Presence(identity_.id()), SignedPresence(true), 1, std::chrono::seconds(0),
                 false, {});
  Crash("agent.presence.sent");
}

void RelayLine::Received(std::string_view topic, BytesView payload) {
  const auto kind = topics::ParseDown(topic, identity_.id());
  if (!kind) {
    log::Warning("a message on a topic that is not this agent's");
    return;
  }
  if (*kind == topics::DownKind::kCommand) {
    events_.command(payload);
  } else {
    events_.control(payload);
    // A scheduler publishes the policy whenever its line comes up. One that is new to this relay
    // had no session there, so what we said before is lost: say it again.
    if (*kind == topics::DownKind::kPolicy && connected()) SayOn();
  }
}

void RelayLine::SendReceipt(const Receipt& receipt) {
  if (!connected()) return;  // the scheduler asks again
  Crash("agent.receipt.before");
  link_->Publish(topics::Result(identity_.id()),
                 identity_.Sign(kReceiptType, EncodeReceipt(receipt)), 1, kResultExpiry, false, {});
  Crash("agent.receipt.sent");
}

void RelayLine::SendHeartbeat(const Heartbeat& heartbeat) {
  if (!connected()) return;
  Crash("agent.heartbeat.before");
  link_->Publish(topics::Heartbeat(identity_.id()),
                 identity_.Sign(kHeartbeatType, EncodeHeartbeat(heartbeat)), 0,
                 std::chrono::seconds(0), false, {});
  Crash("agent.heartbeat.sent");
}

void RelayLine::SendPart(Bytes envelope, MqttLink::Done done) {
  link_->Publish(topics::Result(identity_.id()), std::move(envelope), 1, kResultExpiry, false,
                 std::move(done));
}

void RelayLine::Stop(std::function<void()> done) {
  next_.cancel();
  if (!link_) {
    done();
    return;
  }
  if (link_->connected()) {
    link_->Publish(topics::Presence(identity_.id()), SignedPresence(false), 1,
                   std::chrono::seconds(0), false, {});
  }
  link_->Stop(std::move(done));
}

}  // namespace mig::agent
