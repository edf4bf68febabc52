#include "roles/scheduler/relay_links.h"

#include <utility>

#include "proto/topics.h"
#include "util/log.h"

namespace mig::scheduler {
namespace {

// Unacknowledged at once: enough that a relay's group commit is full while we wait for it.
constexpr std::size_t kWindow = 256;

}  // namespace

struct RelayLinks::Relay {
  Relay(boost::asio::io_context& io, LinkOptions options, LinkHandlers handlers)
      : link(io, std::move(options), std::move(handlers)),
        outbox(kWindow, [this](const Outgoing& message, Outbox::Done done) {
          link.Publish(message.topic, *message.payload, 1, message.expiry, message.retain,
                       std::move(done));
        }) {}

  MqttLink link;
  Outbox outbox;
};

RelayLinks::RelayLinks(boost::asio::io_context& io, const SchedulerConfig& config,
                       Handlers handlers) {
  auto shared = std::make_shared<const Handlers>(std::move(handlers));
  for (std::size_t i = 0; i < config.relays.size(); ++i) {
    states_.push_back({config.relays[i].Text(), false});
    LinkOptions options;
    options.host = config.relays[i].host;
    options.port = config.relays[i].port;
    options.websocket = config.relays[i].websocket;
    options.proxy = config.proxy;
    options.tls = config.tls;
    // The same name at every start: what agents say while no scheduler runs waits in its session.
    options.client_id = config.name;
    options.max_unacknowledged = kWindow;
    options.backoff_longest = config.reconnect_longest;
    LinkHandlers link_handlers;
    link_handlers.connected = [this, i, shared](bool) {
      states_[i].connected = true;
      relays_[i]->outbox.Connected();
      log::Info("connected to the relay", {{"relay", states_[i].name}});
      shared->connected(i);
    };
    link_handlers.message = [i, shared](std::string_view topic, BytesView payload) {
      shared->message(i, topic, payload);
    };
    link_handlers.lost = [this, i](const Error&) {  // the link has logged why
      states_[i].connected = false;
      relays_[i]->outbox.Lost();
    };
    relays_.push_back(std::make_unique<Relay>(io, std::move(options), std::move(link_handlers)));
    relays_.back()->link.Subscribe(
        {std::string(topics::kUpFilter), std::string(topics::kWakeScheduler)});
  }
}

RelayLinks::~RelayLinks() = default;

void RelayLinks::Start() {
  for (auto& relay : relays_) relay->link.Start();
}

void RelayLinks::Stop(std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(relays_.size());
  for (auto& relay : relays_) {
    relay->link.Stop([left, done] {
      if (--*left == 0) done();
    });
  }
}

std::size_t RelayLinks::Room(std::size_t relay) const { return relays_[relay]->outbox.Room(); }

void RelayLinks::Post(std::size_t relay, Outgoing message) {
  relays_[relay]->outbox.Post(std::move(message));
}

}  // namespace mig::scheduler
