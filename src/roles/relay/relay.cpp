#include "roles/relay/relay.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "cli/verb.h"
#include "mqtt/authoriser.h"
#include "net/mqtt_server.h"
#include "os/descriptor_limit.h"
#include "os/files.h"
#include "os/listen_fds.h"
#include "roles/relay/denied_subscriptions.h"
#include "roles/relay/relay_config.h"
#include "roles/relay/relay_limits.h"
#include "roles/relay/topic_rights.h"
#include "roles/relay/verbs.h"
#include "roles/relay/watch.h"
#include "store/relay_db.h"
#include "util/log.h"

namespace mig {
namespace {

namespace asio = boost::asio;

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

// For the store, standard streams, files that are read again, and what libraries open: never used
// for connections. Of a limit that is very low, a quarter.
constexpr std::size_t kOtherDescriptors = 64;

struct Arguments {
  std::string config;
  std::string listen;
  std::string store;
  std::vector<std::string> limits;
  bool open = false;
};

cli::Options Declare(Arguments& arguments) {
  cli::Options options(
      "mig relay --config FILE\n       mig relay --listen 127.0.0.1:PORT --open "
      "--store FILE\n       mig relay status [--config FILE | --store FILE] [--json]"
      "\n       mig relay db check|stats|compact [--config FILE | --store FILE] [--json]",
      "The MQTT broker between scheduler, API and agents; `status` shows how the one that runs "
      "here is.");
  options.Text("config", 'c', "FILE", "configuration (examples/config/relay.yaml)",
               &arguments.config);
  options.Text("listen", '\0', "ADDRESS", "listen here instead; only with --open",
               &arguments.listen);
  options.Flag("open", '\0', "no TLS and no rights: any MQTT client on this machine",
               &arguments.open);
  options.Text("store", '\0', "FILE", "the database; only with --open", &arguments.store);
  options.Texts("limit", '\0', "KEY=VALUE", "a bound, named as in the configuration's `limits`",
                &arguments.limits);
  options.Note(
      "SIGTERM stops in order. SIGHUP reads certificates, revocation lists and log level.");
  options.Example("mig relay --config /etc/mig/relay.yaml", "as the service does");
  options.Example("mig relay --listen 127.0.0.1:1883 --open --store /tmp/relay.db",
                  "for any MQTT client on this machine, to try it");
  options.Example("mig relay --config relay.yaml --limit sessions=500 --limit packet=64k",
                  "with other bounds than the file's");
  return options;
}

Expected<relay::RelayConfig> ConfigOf(const Arguments& arguments) {
  if (!arguments.open) {
    if (!arguments.listen.empty() || !arguments.store.empty()) {
      return Error(Errc::kInvalid, "--listen and --store go with --open");
    }
    if (arguments.config.empty()) {
      return Error(Errc::kInvalid, "name a configuration: mig relay --config FILE");
    }
    auto config = relay::LoadRelayConfig(arguments.config);
    if (!config) return config;
    if (auto ok = relay::ApplyLimits(arguments.limits, config->server); !ok) {
      return std::move(ok).error();
    }
    return config;
  }
  if (!arguments.config.empty()) {
    return Error(Errc::kInvalid,
                 "--open stands in place of --config; in a file it is `open: true`");
  }
  if (arguments.listen.empty() || arguments.store.empty()) {
    return Error(Errc::kInvalid, "--open needs --listen 127.0.0.1:PORT and --store FILE");
  }
  relay::RelayConfig config;
  config.server.listen = arguments.listen;
  config.store = arguments.store;
  if (auto ok = relay::ApplyLimits(arguments.limits, config.server); !ok) {
    return std::move(ok).error();
  }
  return config;
}

// The relay as a process: its io_context, signals, and the order of starting and stopping.
class RelayProcess {
 public:
  RelayProcess(relay::RelayConfig config, std::string config_file)
      : config_(std::move(config)), config_file_(std::move(config_file)), signals_(io_) {}

  int Run() {
    if (auto started = Start(); !started) {
      log::Error("cannot start", {{"error", started.error().message()}});
      const Errc code = started.error().code();
      const bool is_usage = code == Errc::kInvalid || code == Errc::kMalformed ||
                            code == Errc::kDenied || code == Errc::kNotFound;
      return is_usage ? kBadUsage : kFailed;
    }
    io_.run();
    log::Info("stopped");
    return status_;
  }

 private:
  Expected<void> Start() {
    const std::size_t descriptors = os::RaiseDescriptorLimit();
    const std::size_t reserve = std::min(kOtherDescriptors, descriptors / 4);
    std::size_t& connections = config_.server.connections.total;
    if (connections > descriptors - reserve) {
      connections = descriptors - reserve;
      log::Warning("fewer connections than configured: descriptors (LimitNOFILE, ulimit -n)",
                   {{"connections", std::to_string(connections)},
                    {"descriptors", std::to_string(descriptors)}});
    }
    auto sockets = os::TakeListenFds();
    if (!sockets) return std::move(sockets).error();
    if (sockets->size() > 1) {
      return Error(Errc::kInvalid,
                   "a relay takes one listening socket, not " + std::to_string(sockets->size()));
    }
    if (!sockets->empty()) config_.server.socket = std::move(sockets->front());

    auto store = store::RelayDb::Open({config_.store});
    if (!store) return std::move(store).error();
    mqtt::Snapshot snapshot = (*store)->TakeSnapshot();
    const std::string sessions = std::to_string(snapshot.sessions.size());
    const mqtt::Authoriser& rights =
        config_.server.tls ? static_cast<const mqtt::Authoriser&>(rights_) : all_;
    authoriser_.emplace(rights, std::move(config_.deny_subscribe));
    auto server = MqttServer::Start(io_, std::move(config_.server), std::move(*store),
                                    std::move(snapshot), *authoriser_);
    if (!server) return std::move(server).error();
    server_ = std::move(*server);
    server_->OnFailure([this](const Error& error) {
      // Without its store a relay can acknowledge nothing; whoever supervises it starts it again.
      log::Error("stopping", {{"error", error.message()}});
      status_ = kFailed;
      Stop();
    });
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) signals_.add(number);
    WaitForSignal();

    const std::string port = std::to_string(server_->port());
    watch_.emplace(
        io_, *server_,
        relay::RelayFacts{::getpid(), server_->port(), 0,
                          std::filesystem::absolute(config_.store).lexically_normal().string()});
    watch_->OpenControl();
    if (!config_.metrics_listen.empty()) {
      if (auto served = watch_->ServeMetrics(config_.metrics_listen); !served) return served;
    }
    if (!config_.port_file.empty()) {
      auto written = os::WriteFileAtomically(config_.port_file, port + "\n", 0644);
      if (!written) return std::move(written).error();
    }
    log::Info("listening", {{"port", port}, {"sessions", sessions}});
    return {};
  }

  void WaitForSignal() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
      if (error) return;
      if (number == SIGHUP) {
        Reload();
        WaitForSignal();
      } else {
        log::Info("stopping");
        Stop();
      }
    });
  }

  void Reload() {
    if (!config_file_.empty()) {
      auto config = relay::LoadRelayConfig(config_file_);
      if (!config) {
        log::Error("configuration not read again; the old one stays",
                   {{"error", config.error().message()}});
        return;
      }
      log::Configure(config->logging.level, config->logging.format, "relay");
    }
    if (auto done = server_->ReloadTls(); !done) {
      log::Error("not everything was read again", {{"error", done.error().message()}});
      return;
    }
    if (auto done = watch_->ReloadCertificate(); !done) {
      log::Error("metrics keep the old certificate", {{"error", done.error().message()}});
      return;
    }
    log::Info("read again: certificate, key, CAs, revocation lists, log level");
  }

  void Stop() {
    signals_.cancel();
    watch_.reset();
    server_->Stop([this] { io_.stop(); });
  }

  relay::RelayConfig config_;
  const std::string config_file_;
  const relay::TopicRights rights_;
  const mqtt::AllowAll all_;
  std::optional<relay::DeniedSubscriptions> authoriser_;
  asio::io_context io_{1};  // one thread
  asio::signal_set signals_;
  std::unique_ptr<MqttServer> server_;
  std::optional<relay::Watch> watch_;
  int status_ = kDone;
};

}  // namespace

int RunRelay(std::span<const std::string> arguments) {
  Arguments given;
  cli::Options options = Declare(given);
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (!arguments.empty() && arguments[0] == "status") {
    return relay::RunStatus(arguments.subspan(1), terminal);
  }
  if (!arguments.empty() && arguments[0] == "db") {
    return relay::RunDb(arguments.subspan(1), terminal);
  }
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  auto config = ConfigOf(given);
  if (!config) {
    terminal.Complain(config.error().message());
    return kBadUsage;
  }
  log::Configure(config->logging.level, config->logging.format, "relay");
  return RelayProcess(std::move(*config), given.config).Run();
}

}  // namespace mig
