#include "roles/api/api.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdio>

#include "cli/verb.h"
#include "os/listen_fds.h"
#include "roles/api/service.h"
#include "roles/api/token_verb.h"
#include "util/log.h"
#include "util/text.h"

namespace mig {
namespace {

using api::ApiConfig;
using api::ApiService;

constexpr std::chrono::seconds kStopDeadline{5};

int Fail(const Error& error) {
  std::fprintf(stderr, "mig api: %s\n", EscapeForTerminal(error.message()).c_str());
  return cli::kUsage;
}

void Configure(const ApiConfig& config) {
  log::Configure(config.logging.level, config.logging.format, "api");
}

int Serve(const std::filesystem::path& file) {
  auto config = api::LoadApiConfig(file);
  if (!config) return Fail(config.error());
  Configure(*config);
  auto inherited = os::TakeListenFds();
  if (!inherited) return Fail(inherited.error());

  boost::asio::io_context io(1);
  const std::filesystem::path port_file = config->port_file;
  auto service =
      ApiService::Start(io, std::move(*config),
                        inherited->empty() ? os::FileDescriptor() : std::move((*inherited)[0]));
  if (!service) return Fail(service.error());
  if (!port_file.empty()) {
    const std::string port = std::to_string((*service)->port()) + "\n";
    if (auto written = os::WriteFileAtomically(port_file, port, 0644); !written) {
      return Fail(written.error());
    }
  }
  log::Info("listening", {{"port", std::to_string((*service)->port())}});

  boost::asio::signal_set stop_signals(io, SIGTERM, SIGINT);
  boost::asio::steady_timer deadline(io);
  stop_signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    log::Info("stopping", {{"signal", std::to_string(signal)}});
    deadline.expires_after(kStopDeadline);
    deadline.async_wait([&io](const boost::system::error_code& cancelled) {
      if (!cancelled) io.stop();
    });
    (*service)->Stop([&io] { io.stop(); });
  });
  boost::asio::signal_set reload_signal(io, SIGHUP);
  const std::function<void()> wait_for_reload = [&] {
    reload_signal.async_wait([&](const boost::system::error_code& error, int) {
      if (error) return;
      auto fresh = api::LoadApiConfig(file);
      if (fresh) {
        Configure(*fresh);
      } else {
        log::Error("configuration not read again", {{"error", fresh.error().message()}});
      }
      if (auto reloaded = (*service)->Reload(); !reloaded) {
        log::Error("not reloaded, the old state stays", {{"error", reloaded.error().message()}});
      } else {
        log::Info("reloaded certificate, policy and log level");
      }
      wait_for_reload();
    });
  };
  wait_for_reload();
  io.run();
  service->reset();
  log::Info("stopped");
  return cli::kFound;
}

int MakeToken(std::span<const std::string> arguments) {
  std::string config_file;
  std::string note;
  std::uint64_t uses = 1;
  std::chrono::milliseconds validity = std::chrono::hours(1);
  cli::Options options(
      "mig api token new --config FILE [--uses N] [--expires 1h]",
      "Makes an enrolment token at the server and prints it. Agents that enrol with it have no "
      "tags:\nthose come with grants that people have signed, see mig agent-token new.");
  options.Text("config", 'c', "FILE", "the API's configuration", &config_file);
  options.Integer("uses", '\0', "N", "how many agents it enrols (default 1)", 1, 1'000'000, &uses);
  options.Duration("expires", '\0', "how long it is good for: 90s, 5m, 24h, 2d (default 1h)",
                   &validity);
  options.Text("note", '\0', "TEXT", "what it is for, kept in the store", &note);
  options.Example("mig api token new --config /etc/mig/api.yaml --uses 20 --expires 24h",
                  "twenty agents within a day");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (config_file.empty()) return Fail(Error(Errc::kInvalid, "--config FILE is missing"));
  auto config = api::LoadApiConfig(config_file);
  if (!config) return Fail(config.error());
  auto token =
      api::NewToken(*config, static_cast<std::uint32_t>(uses), validity, std::move(note), Now());
  if (!token) return Fail(token.error());
  std::printf("%s\n", token->c_str());
  return cli::kFound;
}

int AddGrant(std::span<const std::string> arguments) {
  std::string config_file, grant_file, note;
  cli::Options options("mig api token add --config FILE --grant FILE",
                       "Stores the enrolment token of a grant that people have signed. People do "
                       "this from where they are,\nwith mig agent-token new; here it is done at "
                       "the server, without the API.");
  options.Text("config", 'c', "FILE", "the API's configuration", &config_file);
  options.Text("grant", '\0', "FILE", "the signed grant", &grant_file);
  options.Text("note", '\0', "TEXT", "what it is for, kept in the store", &note);
  options.Example("mig api token add --config /etc/mig/api.yaml --grant grant.json",
                  "before the API runs for the first time");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (config_file.empty()) return Fail(Error(Errc::kInvalid, "--config FILE is missing"));
  if (grant_file.empty()) return Fail(Error(Errc::kInvalid, "--grant FILE is missing"));
  auto config = api::LoadApiConfig(config_file);
  if (!config) return Fail(config.error());
  auto grant = os::ReadFile(grant_file, kMaxEnvelopeBytes);
  if (!grant) return Fail(grant.error());
  auto added = api::AddToken(*config, *grant, std::move(note), Now());
  if (!added) return Fail(std::move(added).error().During(grant_file));
  return cli::kFound;
}

}  // namespace

int RunApi(std::span<const std::string> arguments) {
  if (!arguments.empty() && arguments[0] == "token") {
    if (arguments.size() > 1 && arguments[1] == "new") return MakeToken(arguments.subspan(2));
    if (arguments.size() > 1 && arguments[1] == "add") return AddGrant(arguments.subspan(2));
    return Fail(Error(Errc::kInvalid,
                      "say what to do: mig api token new --config FILE, or mig api token add "
                      "--config FILE --grant FILE"));
  }
  std::string config_file;
  cli::Options options("mig api --config FILE\n       mig api token new --config FILE",
                       "Serves investigators and enrols agents, over HTTPS.");
  options.Text("config", 'c', "FILE", "configuration (examples/config/api.yaml)", &config_file);
  options.Note("SIGTERM stops in order. SIGHUP reads certificate, policy and log level again.");
  options.Note("`mig api token new --config FILE` makes an enrolment token for agents.");
  options.Example("mig api --config /etc/mig/api.yaml", "as the service does");
  cli::Terminal terminal = cli::Terminal::OfProcess();
  if (auto ended = cli::ParseWords(options, arguments, terminal)) return *ended;
  if (config_file.empty()) return Fail(Error(Errc::kInvalid, "--config FILE is missing"));
  return Serve(config_file);
}

}  // namespace mig
