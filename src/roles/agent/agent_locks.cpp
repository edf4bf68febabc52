#include "roles/agent/agent_locks.h"

#include <unistd.h>

#include <thread>

#include "util/log.h"
#include "util/text.h"

namespace mig::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPause{20};
constexpr std::size_t kMaxHolderBytes = 4096;

// "process 123 with the directory /var/lib/mig", as that process wrote it.
std::string HolderIn(const fs::path& file) {
  const auto text = os::ReadFile(file, kMaxHolderBytes);
  const std::string_view holder = text ? Trim(*text) : std::string_view();
  return holder.empty() ? "a process that did not say who it is" : EscapeForTerminal(holder);
}

Expected<os::FileLock> Take(const fs::path& file, const AgentConfig& config,
                            std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto lock = os::FileLock::Take(file);
    if (lock) {
      const std::string holder = "process " + std::to_string(getpid()) + " with the directory " +
                                 fs::absolute(config.directory).lexically_normal().string() + "\n";
      // On a full disk it does not say so, and holds all the same.
      if (auto written = lock->Write(holder); !written) {
        log::Warning("a lock does not say who holds it", {{"reason", written.error().message()}});
      }
      return lock;
    }
    if (lock.error().code() != Errc::kExists) return lock;
    if (std::chrono::steady_clock::now() >= deadline) return lock;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Expected<os::FileLock> LockDirectory(const AgentConfig& config,
                                     std::chrono::milliseconds patience) {
  const fs::path file = config.directory / "agent.lock";
  auto lock = Take(file, config, patience);
  if (lock || lock.error().code() != Errc::kExists) return lock;
  return Error(Errc::kExists, "another agent runs here: " + HolderIn(file) + "; stop it first");
}

Expected<std::optional<os::FileLock>> LockHost(const AgentConfig& config, const OrgId& org,
                                               std::chrono::milliseconds patience) {
  if (config.many_on_one_host) return std::optional<os::FileLock>();
  if (auto made = os::MakePrivateDirectory(config.host_lock); !made) {
    return std::move(made).error().During("host_lock");
  }
  const fs::path file = config.host_lock / ("agent-" + org.Text() + ".lock");
  auto lock = Take(file, config, patience);
  if (lock) return std::optional<os::FileLock>(std::move(*lock));
  if (lock.error().code() != Errc::kExists) return std::move(lock).error();
  return Error(Errc::kExists,
               "another agent of this deployment runs on this machine: " + HolderIn(file) +
                   "; stop it first. Where several are wanted, say `many_on_one_host: true` in the "
                   "configuration of each");
}

}  // namespace mig::agent
