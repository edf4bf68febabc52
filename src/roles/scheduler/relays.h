// The relays as the scheduler's parts see them; behind it are an Outbox and a link for each
// (relay_links.h), or a test.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "roles/scheduler/outbox.h"
#include "roles/scheduler/plan.h"

namespace mig::scheduler {

class Relays {
 public:
  virtual ~Relays() = default;

  // In the order of the configuration; the index is how everybody names a relay.
  virtual const std::vector<RelayState>& States() const = 0;
  // How many messages that relay would take now without making them wait.
  virtual std::size_t Room(std::size_t relay) const = 0;
  // See Outbox::Post.
  virtual void Post(std::size_t relay, Outgoing message) = 0;

  // The first that is connected.
  std::optional<std::size_t> Any() const {
    for (std::size_t i = 0; i < States().size(); ++i) {
      if (States()[i].connected) return i;
    }
    return std::nullopt;
  }
};

}  // namespace mig::scheduler
