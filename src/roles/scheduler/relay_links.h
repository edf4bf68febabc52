// The relays for real: for each of the configuration an MQTT link and its outbox.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "net/mqtt_link.h"
#include "roles/scheduler/relays.h"
#include "roles/scheduler/scheduler_config.h"

namespace mig::scheduler {

class RelayLinks : public Relays {
 public:
  struct Handlers {
    std::function<void(std::size_t relay)> connected;
    std::function<void(std::size_t relay, std::string_view topic, BytesView payload)> message;
  };
  // `io` outlives this and is run by one thread, on which everything here is called.
  RelayLinks(boost::asio::io_context& io, const SchedulerConfig& config, Handlers handlers);
  ~RelayLinks() override;

  void Start();
  // Disconnects in order; `done` runs within two seconds.
  void Stop(std::function<void()> done);

  const std::vector<RelayState>& States() const override { return states_; }
  std::size_t Room(std::size_t relay) const override;
  void Post(std::size_t relay, Outgoing message) override;

 private:
  struct Relay;
  std::vector<RelayState> states_;
  std::vector<std::unique_ptr<Relay>> relays_;
};

}  // namespace mig::scheduler
