// How much of its bounds a relay uses: of those that are for all clients together, so that somebody
// can see in time that one is about to be reached.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "net/mqtt_server.h"

namespace mig::relay {

struct Usage {
  std::string_view limit;  // its key in the configuration (roles/relay/relay_limits.h)
  std::uint64_t used = 0;
  std::uint64_t most = 0;

  // From four fifths on.
  bool NearFull() const { return used >= most - most / 5; }
};

std::vector<Usage> Usages(const MqttServerFigures& figures, const MqttServerOptions& options);

}  // namespace mig::relay
