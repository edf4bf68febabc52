#include "roles/scheduler/scheduler_config.h"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/temp_folder.h"

namespace mig::scheduler {
namespace {

constexpr const char* kMinimal = R"(
store: data/server.db
relays:
  - {host: relay.example.net}
tls: {ca: ca.crt, certificate: s.crt, key: s.key}
policy: {roots: [root.1.json], policy: policy.json}
)";

Expected<SchedulerConfig> Load(const TempFolder& folder, const std::string& text) {
  std::ofstream(folder / "scheduler.yaml") << text;
  return LoadSchedulerConfig(folder / "scheduler.yaml");
}

TEST_CASE("scheduler config: the example that is shipped loads", "[scheduler]") {
  auto config = LoadSchedulerConfig(MIG_SOURCE_DIR "/examples/config/scheduler.yaml");
  if (!config) FAIL(config.error().message());
  CHECK_FALSE(config->relays.empty());
}

TEST_CASE("scheduler config: paths are relative to the file, and defaults stand", "[scheduler]") {
  TempFolder folder;
  auto config = Load(folder, kMinimal);
  if (!config) FAIL(config.error().message());
  CHECK(config->store == folder / "data/server.db");
  CHECK(config->policy.roots.at(0) == folder / "root.1.json");
  CHECK(config->name == "scheduler-1");
  CHECK(config->rules.resend_after == std::chrono::seconds(30));
}

TEST_CASE("scheduler config: what cannot be meant is refused with its key", "[scheduler]") {
  TempFolder folder;
  const auto message = [&](const std::string& more) {
    auto config = Load(folder, kMinimal + more);
    return config ? std::string() : config.error().message();
  };
  CHECK(message("agents: {resend_after: 10ms}\n").find("resend_after") != std::string::npos);
  CHECK(message("agents: {idle_after: 20m}\n").find("offline_after") != std::string::npos);
  CHECK(message("agnets: {idle_after: 1m}\n").find("agents") != std::string::npos);
  CHECK(message("log: {level: loud}\n").find("level") != std::string::npos);
}

}  // namespace
}  // namespace mig::scheduler
