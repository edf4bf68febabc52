// bench_relay: our relay beside Mosquitto, the same load, in turn, on this machine.
#include <getopt.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "os/descriptor_limit.h"
#include "test/bench/relay/scenario.h"

namespace mig::bench {
namespace {

constexpr std::array<std::size_t, 5> kConnections{1000, 2000, 5000, 10'000, 18'000};
constexpr std::array<std::size_t, 3> kSubscriptions{1000, 10'000, 100'000};
constexpr std::array<std::size_t, 2> kFewConnections{1000, 5000};
constexpr std::array<std::size_t, 2> kFewSubscriptions{1000, 10'000};
constexpr std::array<std::size_t, 2> kTwoConnections{10, 20};
constexpr std::array<std::size_t, 2> kTwoSubscriptions{100, 200};

Sizes Full() {
  Sizes sizes;
  sizes.curve_connections = kConnections;
  sizes.curve_subscriptions = kSubscriptions;
  return sizes;
}

Sizes Quick() {
  Sizes sizes = Full();
  sizes.fan_out_messages = 50;
  sizes.fan_in_messages = 20;
  sizes.trips = 5;
  sizes.connects = 2000;
  sizes.handshakes = 200;
  sizes.idle_many = 2000;
  sizes.absent = 500;
  sizes.queued = 10;
  sizes.returning = 500;
  sizes.paced_seconds = 1;
  sizes.slow_messages = 1000;
  sizes.curve_connections = kFewConnections;
  sizes.curve_subscriptions = kFewSubscriptions;
  sizes.silent = 100;
  sizes.silent_keep_alive = 2;
  sizes.patience = std::chrono::seconds(5);
  return sizes;
}

// Whether everything works, not how fast.
Sizes Smoke() {
  Sizes sizes;
  sizes.agents = 10;
  sizes.fan_out_messages = sizes.fan_in_messages = sizes.trips = 5;
  sizes.connects = sizes.handshakes = sizes.idle_few = sizes.absent = sizes.returning = 20;
  sizes.idle_many = 40;
  sizes.queued = 2;
  sizes.paced_seconds = 1;
  sizes.slow_messages = 20;
  sizes.curve_connections = kTwoConnections;
  sizes.curve_subscriptions = kTwoSubscriptions;
  sizes.silent = 10;
  sizes.silent_keep_alive = 1;
  return sizes;
}

struct Arguments {
  Programs programs{"mig", "/usr/sbin/mosquitto"};
  Sizes sizes = Full();
  int rounds = 3;
  std::vector<std::string> only;  // scenarios
  bool alone = false;
  bool durable = true;
  std::string json;  // file; empty: none
};

int Usage() {
  std::fputs(
      "usage: bench_relay [--mig PROGRAM] [--mosquitto PROGRAM] [--quick | --smoke]\n"
      "                   [--rounds N] [--only SCENARIO,…] [--alone] [--no-durable] [--json FILE]\n"
      "  --quick       less of everything, one round: under two minutes\n"
      "  --smoke       so little that only failure shows\n"
      "  --alone       without Mosquitto\n"
      "  --no-durable  without Mosquitto's durable variant\n"
      "  --json        writes all rounds there, too\n"
      "scenarios:\n",
      stderr);
  for (const Scenario& each : Scenarios()) {
    std::fprintf(stderr, "  %-14s %s\n", each.name, each.what);
  }
  return 2;
}

std::vector<std::string> Split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool IsScenario(const std::string& name) {
  return std::ranges::any_of(Scenarios(), [&](const Scenario& each) { return each.name == name; });
}

// False: the words make no sense.
bool Read(int argc, char** argv, Arguments& arguments) {
  constexpr std::array kOptions{option{"mig", required_argument, nullptr, 'm'},
                                option{"mosquitto", required_argument, nullptr, 'p'},
                                option{"quick", no_argument, nullptr, 'q'},
                                option{"smoke", no_argument, nullptr, 's'},
                                option{"rounds", required_argument, nullptr, 'r'},
                                option{"only", required_argument, nullptr, 'o'},
                                option{"alone", no_argument, nullptr, 'a'},
                                option{"no-durable", no_argument, nullptr, 'd'},
                                option{"json", required_argument, nullptr, 'j'},
                                option{"help", no_argument, nullptr, 'h'},
                                option{nullptr, 0, nullptr, 0}};
  for (int letter = 0; (letter = getopt_long(argc, argv, "", kOptions.data(), nullptr)) != -1;) {
    switch (letter) {
      case 'm':
        arguments.programs.mig = optarg;
        break;
      case 'p':
        arguments.programs.mosquitto = optarg;
        break;
      case 'q':
        arguments.sizes = Quick();
        arguments.rounds = 1;
        break;
      case 's':
        arguments.sizes = Smoke();
        arguments.rounds = 1;
        break;
      case 'r':
        arguments.rounds = std::atoi(optarg);
        break;
      case 'o':
        arguments.only = Split(optarg);
        break;
      case 'a':
        arguments.alone = true;
        break;
      case 'd':
        arguments.durable = false;
        break;
      case 'j':
        arguments.json = optarg;
        break;
      default:
        return false;
    }
  }
  return optind == argc && arguments.rounds > 0 && std::ranges::all_of(arguments.only, IsScenario);
}

std::string Machine() {
  std::ifstream file("/proc/cpuinfo");
  std::string model = "unknown processor";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    model = line.substr(line.find(':') + 2);
    break;
  }
  utsname system{};
  uname(&system);
  return model + ", " + std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " cores, Linux " +
         system.release;
}

bool IsWanted(const Arguments& arguments, const Scenario& scenario) {
  return arguments.only.empty() ||
         std::ranges::find(arguments.only, scenario.name) != arguments.only.end();
}

// Returns how many scenarios failed with our relay.
int RunAll(const Arguments& arguments, const Certificates& certificates, Measurements& results) {
  std::vector<Peer> peers;
  if (!arguments.alone) peers.push_back(Peer::kMosquitto);
  if (!arguments.alone && arguments.durable) peers.push_back(Peer::kMosquittoDurable);
  peers.push_back(Peer::kOurs);
  int failures = 0;
  for (const Scenario& scenario : Scenarios()) {
    if (!IsWanted(arguments, scenario)) continue;
    for (int round = 1; round <= (scenario.once ? 1 : arguments.rounds); ++round) {
      for (const Peer peer : peers) {
        if (peer == Peer::kMosquittoDurable && !scenario.needs_storage) continue;
        std::fprintf(stderr, "%s, round %d: %s\n", scenario.name, round, PeerName(peer));
        Bench bench(peer, arguments.programs, arguments.sizes, certificates, results);
        if (auto done = scenario.run(bench); !done) {
          results.Remark(scenario.name, peer, done.error().message());
          std::fprintf(stderr, "  %s\n", done.error().message().c_str());
          if (peer == Peer::kOurs) ++failures;
        }
      }
    }
  }
  return failures;
}

}  // namespace
}  // namespace mig::bench

int main(int argc, char** argv) {
  using namespace mig::bench;
  std::signal(SIGPIPE, SIG_IGN);
  Arguments arguments;
  if (!Read(argc, argv, arguments)) return Usage();
  mig::os::RaiseDescriptorLimit();
  if (!arguments.alone && access(arguments.programs.mosquitto.c_str(), X_OK) != 0) {
    std::fprintf(stderr, "%s is not there: measuring our relay alone\n",
                 arguments.programs.mosquitto.c_str());
    arguments.alone = true;
  }
  const bool tls = std::ranges::any_of(
      Scenarios(), [&](const Scenario& each) { return each.tls && IsWanted(arguments, each); });
  auto certificates = Certificates::Make(tls ? arguments.sizes.MostClients() : 0);
  if (!certificates) {
    std::fprintf(stderr, "%s\n", certificates.error().message().c_str());
    return 1;
  }
  Measurements results;
  const int failures = RunAll(arguments, **certificates, results);
  std::printf("%s; best of %d rounds (median)\n\n%s", Machine().c_str(), arguments.rounds,
              results.Table().c_str());
  if (!arguments.json.empty()) {
    std::ofstream file(arguments.json);
    file << results.Json() << "\n";
    file.close();
    if (!file) {
      std::fprintf(stderr, "cannot write %s\n", arguments.json.c_str());
      return 1;
    }
  }
  return failures == 0 ? 0 : 1;
}
