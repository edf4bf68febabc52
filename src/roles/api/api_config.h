// The API's configuration file (examples/config/api.yaml). Relative paths are relative to the
// folder of the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "net/proxy.h"
#include "net/relay_address.h"
#include "trust/policy_documents.h"
#include "util/expected.h"
#include "util/log_settings.h"

namespace mig::api {

struct ApiConfig {
  std::string name;                 // this process's name among the server's roles: "api-1"
  std::string listen;               // host:port; port 0: the kernel picks
  std::filesystem::path port_file;  // where the port is written once bound; empty: nowhere
  std::string address;              // how agents reach us, for enrolment tokens; empty: not offered
  std::filesystem::path store;
  std::vector<RelayAddress> relays;
  ProxyChoice proxy;  // to the relays
  std::chrono::milliseconds reconnect_longest{10'000};

  struct Tls {
    std::filesystem::path certificate, key;
    std::filesystem::path ca;  // the servers' CA, by which relays are known
  } tls;
  struct AgentsCa {
    std::filesystem::path certificate, key;
    std::chrono::seconds validity = std::chrono::hours(24 * 90);  // of an agent's certificate
  } agents_ca;
  PolicyFiles policy;

  struct Limits {
    std::size_t connections = 4096;
    std::size_t connections_per_address = 64;
    std::size_t streams = 256;                        // event streams at once
    std::chrono::milliseconds read_deadline{10'000};  // for a request's head, and for its body
    std::chrono::milliseconds idle_deadline{60'000};  // between requests
    // For how long only one of two copies of an agent must have spoken before it may be released.
    std::chrono::milliseconds copy_silence = std::chrono::minutes(3);
  } limits;

  struct Attachments {
    std::filesystem::path folder;                  // default: `attachments` beside the store
    std::uint64_t bytes = std::uint64_t{4} << 30;  // of all together
  } attachments;

  LogSettings logging;
};

Expected<ApiConfig> LoadApiConfig(const std::filesystem::path& file);

}  // namespace mig::api
