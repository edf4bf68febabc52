#include "roles/agent/agent_locks.h"

#include <unistd.h>
#include <catch2/catch.hpp>

#include "test/temp_folder.h"

namespace mig::agent {
namespace {

struct Machine {
  TempFolder folder;
  OrgId org = *OrgId::FromBytes(Bytes(32, 'o'));

  AgentConfig Agent(const std::string& name) const {
    std::filesystem::create_directories(folder / name);
    AgentConfig config;
    config.directory = folder / name;
    config.host_lock = folder / "run";
    return config;
  }
};

constexpr std::chrono::milliseconds kNoPatience{0};

TEST_CASE("agent locks: a second agent in one directory is told which process is there",
          "[agent]") {
  const Machine machine;
  const auto first = LockDirectory(machine.Agent("a"), kNoPatience);
  REQUIRE(first);
  const auto second = LockDirectory(machine.Agent("a"), kNoPatience);
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Errc::kExists);
  CHECK(second.error().message().find("process " + std::to_string(getpid())) != std::string::npos);
  CHECK(LockDirectory(machine.Agent("b"), kNoPatience));
}

TEST_CASE("agent locks: a second agent of a deployment on one machine is told which is there",
          "[agent]") {
  const Machine machine;
  std::optional<Expected<std::optional<os::FileLock>>> first =
      LockHost(machine.Agent("a"), machine.org, kNoPatience);
  REQUIRE(*first);
  REQUIRE(**first);
  const auto second = LockHost(machine.Agent("b"), machine.org, kNoPatience);
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == Errc::kExists);
  CHECK(second.error().message().find("process " + std::to_string(getpid()) +
                                      " with the directory " + (machine.folder / "a").string()) !=
        std::string::npos);
  CHECK(second.error().message().find("many_on_one_host") != std::string::npos);

  CHECK(LockHost(machine.Agent("b"), *OrgId::FromBytes(Bytes(32, 'p')), kNoPatience));
  AgentConfig wanted = machine.Agent("b");
  wanted.many_on_one_host = true;
  const auto allowed = LockHost(wanted, machine.org, kNoPatience);
  REQUIRE(allowed);
  CHECK_FALSE(*allowed);

  first.reset();  // it ended
  CHECK(LockHost(machine.Agent("b"), machine.org, kNoPatience));
}

TEST_CASE("agent locks: a folder that others can write to holds no lock", "[agent]") {
  const Machine machine;
  const AgentConfig config = machine.Agent("a");
  std::filesystem::create_directories(config.host_lock);
  std::filesystem::permissions(config.host_lock, std::filesystem::perms::all);
  CHECK_FALSE(LockHost(config, machine.org, kNoPatience));
}

}  // namespace
}  // namespace mig::agent
