// The agent's configuration file (examples/config/agent.yaml). Relative paths are relative to the
// folder of the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/proxy.h"
#include "net/relay_address.h"
#include "proto/ids.h"
#include "util/expected.h"
#include "util/log_settings.h"

namespace mig::agent {

struct AgentConfig {
  std::filesystem::path directory;  // the agent's own: key, certificate, database
  std::string api;                  // https://host:port; empty: as the token or the enrolment says
  std::vector<RelayAddress> relays;
  ProxyChoice proxy;  // to relays and API
  std::chrono::milliseconds reconnect_longest{std::chrono::minutes(1)};
  std::optional<OrgId> org;          // absent: as the token or the enrolment says
  std::filesystem::path ca;          // the servers' CA: by whom relays and API are known
  std::string token;                 // for the first start
  std::filesystem::path token_file;  // or a file with it, read when it is needed
  std::string name;                  // empty: the machine's own
  // One agent of a deployment runs on a machine: who takes the lock in this folder.
  bool many_on_one_host = false;
  std::filesystem::path host_lock;
  bool privacy = false;  // results are masked as each module says
  std::chrono::milliseconds heartbeat{std::chrono::minutes(5)};
  std::uint64_t outbox_bytes = std::uint64_t{256} << 20;
  std::uint64_t attachment_bytes = std::uint64_t{256} << 20;  // of the cache
  LogSettings logging;

  // The files below `directory`.
  std::filesystem::path KeyFile() const { return directory / "agent.key"; }
  std::filesystem::path TlsKeyFile() const { return directory / "agent.tls.key"; }
  std::filesystem::path CertificateFile() const { return directory / "agent.crt"; }
  std::filesystem::path EnrolmentFile() const { return directory / "enrolment.json"; }
  std::filesystem::path GrantFile() const { return directory / "grant.json"; }
  std::filesystem::path AttachmentFolder() const { return directory / "attachments"; }
  std::filesystem::path Database() const { return directory / "agent.db"; }
};

Expected<AgentConfig> LoadAgentConfig(const std::filesystem::path& file);

}  // namespace mig::agent
