// mig relay status: asks the relay that runs on this machine how it is.
#include "cli/verb.h"
#include "net/local_control.h"
#include "roles/relay/relay_config.h"
#include "roles/relay/status_report.h"
#include "roles/relay/verbs.h"

namespace mig::relay {
namespace {

// It answers between two messages; on a machine that has more to do than it can, that takes time.
constexpr std::chrono::milliseconds kAskLimit{5'000};

Expected<json::object> Ask(const std::filesystem::path& store) {
  auto answer = AskLocalControl(ControlSocket(store), std::string(kStatusQuestion), kAskLimit);
  if (!answer) {
    switch (answer.error().code()) {
      case Errc::kUnavailable:
        return Error(Errc::kUnavailable, "no relay runs with the database " + store.string());
      case Errc::kDenied:
        return Error(Errc::kDenied, "a relay runs with the database " + store.string() +
                                        ", but only its user and root may ask it: sudo -u "
                                        "mig-relay mig relay status");
      default:
        return Error(answer.error().code(),
                     "the relay with the database " + store.string() + " does not answer");
    }
  }
  auto report = json::ParseObject(*answer);
  if (!report) return std::move(report).error().During("the relay's answer");
  return report;
}

}  // namespace

Expected<std::filesystem::path> FindStore(const std::string& config, const std::string& store) {
  if (!store.empty() && !config.empty()) {
    return Error(Errc::kInvalid, "--store and --config both name a database: say one of them");
  }
  if (!store.empty()) return std::filesystem::path(store);
  auto loaded = LoadRelayConfig(config.empty() ? kDefaultConfig : config);
  if (!loaded) {
    if (!config.empty()) return std::move(loaded).error();
    return std::move(loaded).error().During("name the relay with --config FILE or --store FILE");
  }
  return loaded->store.lexically_normal();
}

cli::ExitStatus RunStatus(Words words, cli::Terminal& terminal) {
  std::string config;
  std::string store;
  bool json = false;
  cli::Options options("mig relay status [--config FILE | --store FILE] [--json]",
                       "Shows how the relay on this machine is: clients, queues, refusals, limits "
                       "that are nearly\nreached, the disk. Exit status 5 when no relay runs.");
  options.Text("config", 'c', "FILE",
               std::string("the relay's configuration (default: ") + kDefaultConfig + ")", &config);
  options.Text("store", '\0', "FILE", "or the relay's database", &store);
  options.Flag("json", '\0', "one JSON document", &json);
  options.Note(
      "Only the user whom the relay runs as, and root, may ask. For graphs over time, see "
      "`metrics` in\nthe configuration.");
  options.Example("sudo mig relay status", "the service's relay");
  options.Example("mig relay status --store /tmp/relay.db --json | jq .refused",
                  "what was refused so far, by reason");
  if (auto ended = cli::ParseWords(options, words, terminal)) return *ended;
  auto found = FindStore(config, store);
  if (!found) return cli::Fail(terminal, found.error());
  auto report = Ask(*found);
  if (!report) return cli::Fail(terminal, report.error());
  terminal.Data(json ? json::WritePretty(*report) + "\n" : FormatStatus(*report));
  return cli::Finish(terminal, cli::kFound);
}

}  // namespace mig::relay
