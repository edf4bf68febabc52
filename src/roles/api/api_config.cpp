#include "roles/api/api_config.h"

#include "os/files.h"
#include "proto/action.h"
#include "util/clock.h"
#include "util/settings.h"

namespace mig::api {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;
// Below, an agent would do little else than renew. (Where the clocks of agents and API differ by
// more than a twelfth of the validity, certificates seem to begin in the future.)
constexpr std::chrono::seconds kShortestValidity{5};

}  // namespace

Expected<ApiConfig> LoadApiConfig(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxConfigBytes);
  if (!text) return std::move(text).error();
  auto settings = Settings::Parse(*text, file.string());
  if (!settings) return std::move(settings).error();
  const std::filesystem::path folder = file.parent_path();
  const auto required = [&](Settings& section, std::string_view key) {
    return folder / section.RequiredString(key);
  };

  ApiConfig config;
  config.name = settings->String("name", "api-1");
  config.listen = settings->String("listen", "0.0.0.0:8443");
  if (settings->Has("port_file")) config.port_file = folder / settings->String("port_file", "");
  config.address = settings->String("address", "");
  if (!config.address.empty() && !config.address.starts_with("https://")) {
    settings->Fail("address", "expected https://host:port, as agents reach this API");
  }
  config.store = required(*settings, "store");
  config.relays = ReadRelays(*settings);
  config.proxy = ReadProxy(*settings);
  config.reconnect_longest = ReadReconnectLongest(*settings, config.reconnect_longest);

  Settings tls = settings->Section("tls");
  config.tls.certificate = required(tls, "certificate");
  config.tls.key = required(tls, "key");
  config.tls.ca = required(tls, "ca");

  Settings agents_ca = settings->Section("agents_ca");
  config.agents_ca.certificate = required(agents_ca, "certificate");
  config.agents_ca.key = required(agents_ca, "key");
  config.agents_ca.validity = std::chrono::duration_cast<std::chrono::seconds>(
      agents_ca.Duration("validity", config.agents_ca.validity));
  if (config.agents_ca.validity < kShortestValidity) {
    agents_ca.Fail("validity", "expected at least " + FormatDuration(kShortestValidity));
  }

  config.policy = ReadPolicyFiles(*settings, folder);

  Settings limits = settings->Section("limits");
  ApiConfig::Limits& l = config.limits;
  const auto count = [&](std::string_view key, std::size_t fallback) {
    return static_cast<std::size_t>(
        limits.Integer(key, static_cast<std::int64_t>(fallback), 1, 1'000'000));
  };
  l.connections = count("connections", l.connections);
  l.connections_per_address = count("connections_per_address", l.connections_per_address);
  l.streams = count("streams", l.streams);
  l.read_deadline = limits.Duration("read_deadline", l.read_deadline);
  l.copy_silence = limits.Duration("copy_silence", l.copy_silence);
  l.idle_deadline = limits.Duration("idle_deadline", l.idle_deadline);

  Settings attachments = settings->Section("attachments");
  const std::string kept = attachments.String("folder", "");
  config.attachments.folder =
      kept.empty() ? config.store.parent_path() / "attachments" : folder / kept;
  config.attachments.bytes = attachments.Size("bytes", config.attachments.bytes);
  if (config.attachments.bytes < kMaxAttachmentBytes) {
    attachments.Fail("bytes", "expected at least 64m, the size of one");
  }

  config.logging = ReadLogSettings(*settings);
  if (auto ok = settings->Finish(); !ok) return std::move(ok).error();
  return config;
}

}  // namespace mig::api
