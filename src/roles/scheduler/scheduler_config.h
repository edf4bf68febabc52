// The scheduler's configuration file (examples/config/scheduler.yaml). Relative paths are relative
// to the folder of the file.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "net/mqtt_link.h"
#include "net/proxy.h"
#include "net/relay_address.h"
#include "roles/scheduler/plan.h"
#include "trust/policy_documents.h"
#include "util/expected.h"
#include "util/log_settings.h"

namespace mig::scheduler {

struct SchedulerConfig {
  std::string name;  // of this process among the server's roles; its client id at the relays
  std::filesystem::path store;
  std::vector<RelayAddress> relays;
  ProxyChoice proxy;  // to the relays
  std::chrono::milliseconds reconnect_longest{10'000};
  LinkTls tls;
  PolicyFiles policy;
  PlanRules rules;
  std::chrono::milliseconds idle_after{11 * 60'000};  // two heartbeats and a little
  std::chrono::milliseconds offline_after{15 * 60'000};
  LogSettings logging;
};

Expected<SchedulerConfig> LoadSchedulerConfig(const std::filesystem::path& file);

}  // namespace mig::scheduler
