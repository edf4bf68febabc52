#include "roles/agent/heartbeat.h"

#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "modules/module.h"
#include "os/environment.h"
#include "util/encoding.h"

namespace mig::agent {
namespace {

constexpr std::size_t kBootBytes = 16;
constexpr std::size_t kHostBytes = 16;

}  // namespace

Boot MakeBoot(UtcTime now) { return {EncodeBase32(RandomBytes(kBootBytes)), now, "", 0}; }

Boot MakeLoneBoot(UtcTime now, const OrgId& org) {
  Boot boot = MakeBoot(now);
  const std::string system = os::RunningSystem();
  if (system.empty()) return boot;
  // Nobody outside learns the machine's numbers, nor finds the machine again in another deployment.
  boot.host = EncodeBase32(Sha256(org.Text() + "\n" + system).substr(0, kHostBytes));
  boot.pid = static_cast<std::uint64_t>(getpid());
  return boot;
}

Heartbeat MakeHeartbeat(const Self& self, const Boot& boot, const SandboxFacts& sandbox,
                        std::uint64_t policy, const LedgerMark& ledger, UtcTime now) {
  Heartbeat heartbeat;
  heartbeat.agent = self.id;
  heartbeat.name = self.name;
  heartbeat.version = self.version;
  heartbeat.time = now;
  heartbeat.started = boot.started;
  heartbeat.environment = self.environment;
  for (const Module* module : AllModules()) {
    heartbeat.modules[std::string(module->name)] = static_cast<std::uint32_t>(module->version);
  }
  // The versions of what this agent reads and writes; raised with the type's name (v1, v2).
  heartbeat.formats = {{"action", 1}, {"policy", 1}, {"result", 1}, {"root", 1}};
  heartbeat.policy = policy;
  heartbeat.sandbox = sandbox.level;
  heartbeat.boot = boot.id;
  heartbeat.host = boot.host;
  heartbeat.pid = boot.pid;
  heartbeat.ledger = ledger;
  return heartbeat;
}

Presence MakePresence(const AgentId& agent, const Boot& boot, bool on, UtcTime now) {
  return Presence{agent, on, now, boot.id};
}

Environment EnvironmentNow() {
  os::Environment found = os::DiscoverEnvironment();
  Environment environment;
  environment.hostname = std::move(found.hostname);
  environment.os = std::move(found.os);
  environment.arch = std::move(found.arch);
  environment.ident = std::move(found.ident);
  environment.init = std::move(found.init);
  environment.kernel = std::move(found.kernel);
  environment.addresses = std::move(found.addresses);
  return environment;
}

}  // namespace mig::agent
