#include "roles/agent/agent_config.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/key_file.h"
#include "os/files.h"
#include "proto/action.h"
#include "util/settings.h"

namespace mig::agent {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;
constexpr std::uint64_t kLeastOutbox = 1 << 20;

// Root's own, so that nobody else can take the lock and keep the agent from running. An agent that
// is not root (to try something) stands in the way of its own user's alone.
std::filesystem::path DefaultLockFolder() {
  if (geteuid() == 0) return "/run/mig";
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime != '\0') return std::filesystem::path(runtime) / "mig";
  return std::filesystem::temp_directory_path() / ("mig-" + std::to_string(geteuid()));
}

// The machine itself does not say what it is for: targets would be whatever its owner likes.
void RefuseTags(Settings& settings) {
  if (!settings.Has("tags")) return;
  settings.Fail("tags",
                "a machine does not give itself tags: they come with the enrolment token, which "
                "people sign (mig agent-token new --tags name=value), or stand in the policy");
}

}  // namespace

Expected<AgentConfig> LoadAgentConfig(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxConfigBytes);
  if (!text) return std::move(text).error();
  auto settings = Settings::Parse(*text, file.string());
  if (!settings) return std::move(settings).error();
  const std::filesystem::path folder = file.parent_path();

  AgentConfig config;
  config.directory = folder / settings->RequiredString("directory");
  config.ca = folder / settings->RequiredString("ca");
  config.relays = ReadRelays(*settings);
  config.proxy = ReadProxy(*settings);
  config.reconnect_longest = ReadReconnectLongest(*settings, config.reconnect_longest);
  config.api = settings->String("api", "");
  if (!config.api.empty() && !config.api.starts_with("https://")) {
    settings->Fail("api", "expected https://host:port");
  }
  if (const std::string org = settings->String("org", ""); !org.empty()) {
    auto parsed = OrgId::Parse(org);
    if (parsed) {
      config.org = *parsed;
    } else {
      settings->Fail("org", parsed.error().message());
    }
  }
  config.token = settings->String("token", "");
  if (const std::string name = settings->String("token_file", ""); !name.empty()) {
    config.token_file = folder / name;
    if (!config.token.empty()) settings->Fail("token_file", "stands beside `token`; give one");
  }
  config.name = settings->String("name", "");
  if (!config.name.empty() && !IsKeyName(config.name)) {
    settings->Fail("name", "expected one line of at most 256 bytes");
  }
  RefuseTags(*settings);
  config.many_on_one_host = settings->Bool("many_on_one_host", false);
  const std::string lock = settings->String("host_lock", "");
  config.host_lock = lock.empty() ? DefaultLockFolder() : folder / lock;
  config.privacy = settings->Bool("privacy", false);
  config.heartbeat = settings->Duration("heartbeat", config.heartbeat);
  if (config.heartbeat < std::chrono::seconds(1)) {
    settings->Fail("heartbeat", "expected at least 1s");
  }
  config.outbox_bytes = settings->Size("outbox", config.outbox_bytes);
  if (config.outbox_bytes < kLeastOutbox) settings->Fail("outbox", "expected at least 1m");
  config.attachment_bytes = settings->Size("attachments", config.attachment_bytes);
  if (config.attachment_bytes < kMaxAttachmentBytes) {
    settings->Fail("attachments", "expected at least 64m, the size of one");
  }
  config.logging = ReadLogSettings(*settings);
  if (auto ok = settings->Finish(); !ok) return std::move(ok).error();
  return config;
}

}  // namespace mig::agent
