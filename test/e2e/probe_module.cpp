#include "test/e2e/probe_module.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace mig {
namespace {

constexpr std::string_view kAttempts[] = {
    "connect",  "write",      "exec", "ptrace", "mount", "shadow",  "signal", "memory",
    "forkbomb", "ignoreterm", "hang", "crash",  "throw", "garbage", "rows",   "nothing"};

constexpr Parameter kParameters[] = {
    {.flag = "attempt",
     .field = "attempt",
     .help = "What to try.",
     .required = true,
     .choices = kAttempts},
    {.flag = "target", .field = "target", .help = "On what."},
    {.flag = "count",
     .field = "count",
     .type = ParameterType::kInteger,
     .help = "How many rows, or MiB of memory (default 2048).",
     .max = 10'000'000,
     .absent = "1"},
};

std::string TextParameter(const json::object& parameters, std::string_view name) {
  const json::value* value = parameters.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

// Each gives 0 when it was done, else the errno that stopped it.

int TryConnect(const std::string& target) {
  const std::size_t colon = target.rfind(':');
  if (colon == std::string::npos) return EINVAL;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(target.c_str() + colon + 1)));
  if (::inet_pton(AF_INET, target.substr(0, colon).c_str(), &address.sin_addr) != 1) return EINVAL;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int failed =
      ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  return failed;
}

int TryOpen(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  ::close(fd);
  return 0;
}

// exec replaces this process, so it is tried in another; where none can be made, that is the reason
// it was denied, and exec itself is tried here.
int TryExec() {
  const pid_t pid = ::fork();
  if (pid <= 0) {
    ::execl("/bin/true", "true", nullptr);
    if (pid == 0) ::_exit(errno);
    return errno;
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

int TryPtrace(pid_t pid) {
  if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return errno;
  return 0;
}

int TryMount(const std::string& target) {
  const char* folder = target.empty() ? "/mnt" : target.c_str();
  return ::mount("none", folder, "tmpfs", 0, nullptr) == 0 ? 0 : errno;
}

int TrySignal(pid_t pid) { return ::kill(pid, SIGTERM) == 0 ? 0 : errno; }

// mmap, not malloc: a sanitizer's malloc would end the process where it should say no. What was had
// is given back, so that the outcome can be told.
int TryMemory(std::int64_t mebibytes) {
  constexpr std::size_t kStep = std::size_t{16} << 20;
  const std::size_t wanted = static_cast<std::size_t>(mebibytes) << 20;
  std::vector<void*> held;
  int failed = 0;
  while (failed == 0 && held.size() * kStep < wanted) {
    void* block =
        ::mmap(nullptr, kStep, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) {
      failed = errno;
    } else {
      std::memset(block, 1, kStep);  // really use it
      held.push_back(block);
    }
  }
  for (void* block : held) ::munmap(block, kStep);
  return failed;
}

int TryForkBomb() {
  int failed = 0;
  for (int i = 0; i < 100; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    if (pid < 0) {
      failed = errno;
    } else {
      ::waitpid(pid, nullptr, 0);
    }
  }
  return failed;
}

[[noreturn]] void HangForEver() {
  for (;;) ::pause();
}

int Try(const std::string& attempt, const std::string& target, std::int64_t mebibytes) {
  const pid_t other = target.empty() ? ::getppid() : std::atoi(target.c_str());
  if (attempt == "connect") return TryConnect(target);
  if (attempt == "write") return TryOpen(target, O_WRONLY | O_CREAT);
  if (attempt == "exec") return TryExec();
  if (attempt == "ptrace") return TryPtrace(other);
  if (attempt == "mount") return TryMount(target);
  if (attempt == "shadow") return TryOpen("/etc/shadow", O_RDONLY);
  if (attempt == "signal") return TrySignal(other);
  if (attempt == "memory") return TryMemory(mebibytes);
  if (attempt == "forkbomb") return TryForkBomb();
  if (attempt == "ignoreterm") {
    // And all others that can be ignored, its own alarm clock among them.
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_IGN);
    HangForEver();
  }
  if (attempt == "hang") HangForEver();
  if (attempt == "crash") std::abort();
  if (attempt == "garbage") {
    constexpr std::string_view kNoFrame =
        "{\"a module\": \"that writes where only frames belong\"}\n";
    return ::write(STDOUT_FILENO, kNoFrame.data(), kNoFrame.size()) < 0 ? errno : 0;
  }
  throw std::runtime_error("the probe throws");
}

Expected<ModuleResult> RunProbe(const json::object& parameters, RunContext& context) {
  const std::string attempt = TextParameter(parameters, "attempt");
  ModuleResult result;
  result.success = true;
  result.elements.emplace_object();
  if (attempt == "nothing") return result;
  const json::value* count = parameters.if_contains("count");
  if (attempt == "rows") {
    const std::int64_t rows = count == nullptr ? 1 : count->get_int64();
    std::int64_t row = 0;
    while (row < rows && context.sink.Emit("probe", json::object{{"row", row}})) ++row;
    result.foundanything = row > 0;
    result.statistics = json::object{{"rows", row}};
    return result;
  }
  const std::int64_t mebibytes = count == nullptr ? 2048 : count->get_int64();
  const int failed = Try(attempt, TextParameter(parameters, "target"), mebibytes);
  json::object element{{"attempt", attempt}, {"outcome", failed == 0 ? "done" : "denied"}};
  if (failed != 0) element["reason"] = std::strerror(failed);
  if (!context.sink.Emit("probe", std::move(element))) return result;
  result.foundanything = failed == 0;
  return result;
}

std::vector<std::string> PrintProbe(const json::value& elements, bool) {
  std::vector<std::string> lines;
  const json::object* fields = elements.if_object();
  const json::value* list = fields == nullptr ? nullptr : fields->if_contains("probe");
  if (list == nullptr || !list->is_array()) return lines;
  for (const json::value& element : list->get_array()) lines.push_back(json::Write(element));
  return lines;
}

constinit const Module kProbe = {
    .name = "probe",
    .summary = "tries what a module must not be able to do",
    .example = "-attempt connect -target 127.0.0.1:22",
    .parameters = kParameters,
    .platforms = os::Platform::kLinux,
    .run = RunProbe,
    .print = PrintProbe,
};

constexpr Parameter kActParameters[] = {
    {.flag = "what", .field = "what", .help = "What to pretend to do."}};

Expected<ModuleResult> RunAct(const json::object& parameters, RunContext& context) {
  ModuleResult result;
  result.success = true;
  result.elements.emplace_object();
  result.foundanything =
      context.sink.Emit("probe", json::object{{"done", TextParameter(parameters, "what")}});
  return result;
}

constinit const Module kProbeAct = {
    .name = "probe-act",
    .kind = Kind::kRespond,
    .summary = "pretends to change the machine",
    .example = "-what nothing",
    .parameters = kActParameters,
    .platforms = os::Platform::kLinux,
    .run = RunAct,
    .print = PrintProbe,
};

}  // namespace

const Module& ProbeModule() { return kProbe; }
const Module& ProbeActModule() { return kProbeAct; }

}  // namespace mig
