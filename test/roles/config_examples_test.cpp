// The commented configurations of examples/config are what their roles accept, and `mig config
// check` finds out whose a file is.
#include <catch2/catch.hpp>
#include <fstream>

#include "cli/client_config.h"
#include "roles/agent/agent_config.h"
#include "roles/api/api_config.h"
#include "roles/client/client.h"
#include "roles/relay/relay_config.h"
#include "roles/scheduler/scheduler_config.h"
#include "test/temp_folder.h"

using namespace mig;
namespace fs = std::filesystem;

namespace {

const fs::path kExamples = fs::path(MIG_SOURCE_DIR) / "examples" / "config";

template <typename Config>
void CheckAccepted(const Expected<Config>& config) {
  INFO((config ? std::string() : config.error().message()));
  CHECK(config);
}

template <auto kLoad>
Expected<void> Accepts(const fs::path& file) {
  auto config = kLoad(file);
  if (!config) return std::move(config).error();
  return {};
}

constexpr ConfigChecker kCheckers[] = {
    {"agent", &Accepts<&agent::LoadAgentConfig>},
    {"api", &Accepts<&api::LoadApiConfig>},
    {"relay", &Accepts<&relay::LoadRelayConfig>},
    {"scheduler", &Accepts<&scheduler::LoadSchedulerConfig>},
};

int CheckConfig(std::vector<std::string> words) {
  words.insert(words.begin(), "check");
  return RunConfig(words, kCheckers);
}

}  // namespace

TEST_CASE("config examples: every role accepts its own", "[roles]") {
  CheckAccepted(agent::LoadAgentConfig(kExamples / "agent.yaml"));
  CheckAccepted(api::LoadApiConfig(kExamples / "api.yaml"));
  CheckAccepted(relay::LoadRelayConfig(kExamples / "relay.yaml"));
  CheckAccepted(scheduler::LoadSchedulerConfig(kExamples / "scheduler.yaml"));
  CheckAccepted(cli::LoadClientConfig(kExamples / "client.yaml"));
}

TEST_CASE("config check: every example is known by its name", "[roles]") {
  for (const auto& entry : fs::directory_iterator(kExamples)) {
    INFO(entry.path());
    CHECK(CheckConfig({entry.path().string()}) == 0);
  }
}

TEST_CASE("config check: a name that says nothing is no obstacle, the wrong role is", "[roles]") {
  const TempFolder folder;
  const fs::path file = folder / "new.yaml";
  fs::copy_file(kExamples / "client.yaml", file);
  CHECK(CheckConfig({file.string()}) == 0);
  CHECK(CheckConfig({"--role", "client", file.string()}) == 0);
  CHECK(CheckConfig({"--role", "relay", file.string()}) == 2);
  std::ofstream(file) << "lisen: 127.0.0.1:1\n";
  CHECK(CheckConfig({file.string()}) == 2);
  CHECK(CheckConfig({(folder / "missing.yaml").string()}) == 2);
  CHECK(CheckConfig({"--role", "king", file.string()}) == 2);
}
