// The relay's configuration file (examples/config/relay.yaml). Relative paths are relative to the
// folder of the file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "net/mqtt_server.h"
#include "util/expected.h"
#include "util/log_settings.h"

namespace mig::relay {

struct RelayConfig {
  MqttServerOptions server;         // without `tls`: open
  std::filesystem::path port_file;  // where the port is written once bound; empty: nowhere
  std::filesystem::path store;
  std::vector<std::string> deny_subscribe;  // roles/relay/denied_subscriptions.h
  std::string metrics_listen;               // where metrics are served; empty: nowhere
  LogSettings logging;
};

// Errors name file and line.
Expected<RelayConfig> LoadRelayConfig(const std::filesystem::path& file);

}  // namespace mig::relay
