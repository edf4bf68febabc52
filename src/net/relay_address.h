// Where the relays are, as every role's configuration says it:
//   relays:
//     - {host: relay.example.net, port: 8883, transport: tls}  # or websocket
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "util/settings.h"

namespace mig {

struct RelayAddress {
  std::string host;
  std::uint16_t port = 8883;
  bool websocket = false;

  std::string Text() const { return host + ":" + std::to_string(port); }
  bool operator==(const RelayAddress&) const = default;
};

// The section `relays`, at least one. What is wrong is recorded in `settings` (see Finish).
std::vector<RelayAddress> ReadRelays(Settings& settings);

// `reconnect_longest`: the longest wait between two attempts to reach a relay, at least 100 ms.
std::chrono::milliseconds ReadReconnectLongest(Settings& settings,
                                               std::chrono::milliseconds otherwise);

}  // namespace mig
