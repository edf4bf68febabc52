#include "roles/relay/relay_config.h"

#include "mqtt/topic.h"
#include "net/host.h"
#include "os/files.h"
#include "roles/relay/relay_limits.h"
#include "util/settings.h"
#include "util/text.h"

namespace mig::relay {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;
// What a client may publish a second, unless the configuration says otherwise: far above what an
// agent needs, far below what one rogue agent could keep the store busy with.
constexpr std::uint64_t kPublishMessages = 1000;
constexpr std::uint64_t kPublishBytes = std::uint64_t{16} << 20;

std::vector<std::string> ReadDenied(Settings& settings) {
  std::vector<std::string> filters = settings.Strings("deny_subscribe");
  for (const std::string& filter : filters) {
    if (auto ok = mqtt::CheckFilter(filter); !ok) {
      settings.Fail("deny_subscribe", ok.error().message());
    } else if (mqtt::SplitShared(filter)) {
      settings.Fail("deny_subscribe",
                    "`" + filter + "`: leave out `$share/NAME/`, which makes no difference");
    }
  }
  return filters;
}

// "https://console.example.net:8443", as browsers write it: nothing that they leave out.
bool IsOrigin(std::string_view text) {
  const auto behind = text.find("://");
  if (behind == std::string_view::npos || behind == 0) return false;
  const std::string_view host = text.substr(behind + 3);
  return !host.empty() && host.find_first_of("/?#@ *,") == std::string_view::npos;
}

WebSocketOptions ReadWebSocket(Settings section) {
  WebSocketOptions websocket;
  websocket.enabled = section.Bool("enabled", websocket.enabled);
  websocket.origins = section.Strings("origins");
  for (const std::string& origin : websocket.origins) {
    if (!IsOrigin(origin)) {
      section.Fail("origins", "`" + origin + "` is not an origin like https://console.example.net");
    }
  }
  return websocket;
}

void ReadTls(Settings& settings, const std::filesystem::path& folder, MqttServerOptions& server) {
  Settings tls = settings.Section("tls");
  const auto file = [&](std::string_view key) {
    return (folder / tls.RequiredString(key)).string();
  };
  server.tls =
      TlsServerFiles{file("certificate"), file("key"), file("agents_ca"), file("servers_ca"), {}};
  for (const std::string& list : tls.Strings("crl")) {
    server.tls->revocations.push_back((folder / list).string());
  }
  server.handshake_threads = static_cast<std::size_t>(tls.Integer("threads", 0, 0, 1024));
  server.check_revocations = tls.Duration("crl_check", server.check_revocations);
  if (server.check_revocations < std::chrono::seconds(1)) {
    tls.Fail("crl_check", "expected at least 1s");
  }
}

// "HOST:PORT HOST:PORT" (MQTT 5.0 section 4.11).
std::string ReadServerReference(Settings& settings) {
  std::string text = settings.String("server_reference", "");
  for (const std::string_view place : Split(text, ' ')) {
    if (text.empty()) break;
    if (auto ok = ParseHostPort(place); !ok) {
      settings.Fail("server_reference", ok.error().message());
      break;
    }
  }
  return text;
}

}  // namespace

Expected<RelayConfig> LoadRelayConfig(const std::filesystem::path& file) {
  auto text = os::ReadFile(file, kMaxConfigBytes);
  if (!text) return std::move(text).error();
  auto settings = Settings::Parse(*text, file.string());
  if (!settings) return std::move(settings).error();
  const std::filesystem::path folder = file.parent_path();

  RelayConfig config;
  const bool open = settings->Bool("open", false);
  config.server.listen = settings->String("listen", open ? "127.0.0.1:1883" : "0.0.0.0:8883");
  if (settings->Has("port_file")) config.port_file = folder / settings->String("port_file", "");
  config.store = folder / settings->RequiredString("store");

  if (open) {
    if (settings->Has("tls")) {
      settings->Fail("open", "an open relay has no section `tls`: it asks nobody who they are");
    }
  } else {
    ReadTls(*settings, folder, config.server);
    config.server.limits.publish_messages_per_second = kPublishMessages;
    config.server.limits.publish_bytes_per_second = kPublishBytes;
  }
  Settings limits = settings->Section("limits");
  ReadLimits(limits, config.server);
  config.deny_subscribe = ReadDenied(*settings);
  const auto sys_interval = settings->Duration("sys_interval", config.server.sys_interval);
  config.server.sys_interval = std::chrono::duration_cast<std::chrono::seconds>(sys_interval);
  if (sys_interval.count() != 0 && config.server.sys_interval.count() == 0) {
    settings->Fail("sys_interval", "expected 1s or more, or 0s");
  }
  config.server.limits.server_reference = ReadServerReference(*settings);
  config.server.websocket = ReadWebSocket(settings->Section("websocket"));

  Settings metrics = settings->Section("metrics");
  config.metrics_listen = metrics.String("listen", "");
  if (!config.metrics_listen.empty() || metrics.Has("listen")) {
    if (auto ok = ParseHostPort(config.metrics_listen); !ok) {
      metrics.Fail("listen", ok.error().message());
    }
  }

  config.logging = ReadLogSettings(*settings);
  if (auto ok = settings->Finish(); !ok) return std::move(ok).error();
  return config;
}

}  // namespace mig::relay
