// The keys of the section `limits` in the relay's configuration, and of `--limit KEY=VALUE`: every
// bound that the broker (mqtt/limits.h) and its rim (net/mqtt_server.h) have. What happens at each
// stands beside it in examples/config/relay.yaml.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "net/mqtt_server.h"
#include "util/expected.h"
#include "util/settings.h"

namespace mig::relay {

struct Limit {
  std::string_view key;
  // Takes the key's value; what is not there leaves the bound as it is.
  std::function<void(Settings&, MqttServerOptions&)> read;
  std::function<std::string(const MqttServerOptions&)> show;  // in bytes or seconds
};

std::span<const Limit> Limits();

void ReadLimits(Settings& section, MqttServerOptions& server);

// Of the command line: "KEY=VALUE" each. Error: kMalformed, naming the key.
Expected<void> ApplyLimits(std::span<const std::string> assignments, MqttServerOptions& server);

}  // namespace mig::relay
