#include "roles/scheduler/scheduler_config.h"

#include "os/files.h"
#include "util/settings.h"

namespace mig::scheduler {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

void ReadAgents(Settings agents, SchedulerConfig& config) {
  PlanRules& rules = config.rules;
  config.idle_after = agents.Duration("idle_after", config.idle_after);
  config.offline_after = agents.Duration("offline_after", config.offline_after);
  rules.resend_after = agents.Duration("resend_after", rules.resend_after);
  rules.resend_longest = agents.Duration("resend_longest", rules.resend_longest);
  rules.busy_after = agents.Duration("busy_after", rules.busy_after);
  rules.expiry_grace = agents.Duration("expiry_grace", rules.expiry_grace);
  constexpr std::chrono::milliseconds kSecond{1000};
  if (rules.resend_after < kSecond) agents.Fail("resend_after", "expected at least 1s");
  if (rules.busy_after < kSecond) agents.Fail("busy_after", "expected at least 1s");
  if (rules.resend_longest < rules.resend_after) {
    agents.Fail("resend_longest", "is shorter than resend_after");
  }
  if (config.offline_after < config.idle_after) {
    agents.Fail("offline_after", "is shorter than idle_after");
  }
}

}  // namespace

Expected<SchedulerConfig> LoadSchedulerConfig(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxConfigBytes);
  if (!text) return std::move(text).error();
  auto settings = Settings::Parse(*text, file.string());
  if (!settings) return std::move(settings).error();
  const std::filesystem::path folder = file.parent_path();

  SchedulerConfig config;
  config.name = settings->String("name", "scheduler-1");
  config.store = folder / settings->RequiredString("store");
  config.relays = ReadRelays(*settings);
  config.proxy = ReadProxy(*settings);
  config.reconnect_longest = ReadReconnectLongest(*settings, config.reconnect_longest);

  Settings tls = settings->Section("tls");
  config.tls.ca_file = folder / tls.RequiredString("ca");
  config.tls.certificate_file = folder / tls.RequiredString("certificate");
  config.tls.key_file = folder / tls.RequiredString("key");

  ReadAgents(settings->Section("agents"), config);

  config.policy = ReadPolicyFiles(*settings, folder);

  config.logging = ReadLogSettings(*settings);
  if (auto ok = settings->Finish(); !ok) return std::move(ok).error();
  return config;
}

}  // namespace mig::scheduler
