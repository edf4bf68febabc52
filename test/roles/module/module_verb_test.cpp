// `mig module`, started for real: what goes in, what comes out, and what the probe cannot do.
#include "roles/module/module_verb.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "modules/frames.h"
#include "modules/module.h"
#include "os/child_process.h"
#include "os/sandbox.h"
#include "test/e2e/probe_module.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace std::chrono_literals;

namespace {

os::ChildOutcome Run(std::vector<std::string> words, std::string_view input = "",
                     std::chrono::milliseconds time_limit = 60s) {
  os::ChildOptions options;
  options.program = MODULE_CHILD;
  options.argv = std::move(words);
  options.argv.insert(options.argv.begin(), "mig-module");
  auto outcome = os::RunChild(options, input, time_limit);
  REQUIRE(outcome);
  INFO(outcome->stderr_bytes);
  return std::move(*outcome);
}

ModuleResult ResultOf(const os::ChildOutcome& outcome) {
  INFO(outcome.exit.Describe());
  INFO(outcome.stdout_bytes);
  INFO(outcome.stderr_bytes);
  const auto fields = json::ParseObject(outcome.stdout_bytes);
  REQUIRE(fields);
  auto result = ResultFromJson(*fields);
  REQUIRE(result);
  return std::move(*result);
}

// The probe's outcome in the sandbox: "done", or "denied: REASON", or how the process ended.
std::string Inside(const std::string& attempt, const std::string& target = "") {
  json::object parameters{{"attempt", attempt}};
  if (!target.empty()) parameters["target"] = target;
  const auto outcome = Run({"probe"}, json::Write(parameters));
  if (outcome.exit.signal) return outcome.exit.Describe();
  const ModuleResult result = ResultOf(outcome);
  if (!result.elements.get_object().contains("probe")) return result.errors.at(0);
  const json::object& element =
      result.elements.get_object().at("probe").as_array().at(0).as_object();
  const std::string text(element.at("outcome").as_string());
  return element.contains("reason") ? text + ": " + std::string(element.at("reason").as_string())
                                    : text;
}

// The same attempt in a child of this test, without the sandbox: 0 when it was done.
int Outside(const std::string& attempt, const std::string& target = "") {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    CollectingSink sink;
    RunContext context{sink, UtcTime{}};
    json::object parameters{{"attempt", attempt}};
    if (!target.empty()) parameters["target"] = target;
    const auto result = ProbeModule().run(parameters, context);
    ::_exit(result && result->foundanything ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// A process that only waits to be harmed.
class Victim {
 public:
  Victim() : pid_(::fork()) {
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::signal(SIGTERM, SIG_DFL);  // not the test framework's
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
  }
  ~Victim() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  int pid() const { return pid_; }

  // Waits for its end, unless no signal is expected: then only looks.
  bool EndedBy(int signal) {
    int status = 0;
    if (::waitpid(pid_, &status, signal == 0 ? WNOHANG : 0) != pid_) return false;
    pid_ = -1;
    return signal == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == signal);
  }

 private:
  pid_t pid_;
};

bool SandboxIsFull() { return os::ProbeSandbox().level == os::SandboxLevel::kFull; }

#define NEED_SANDBOX() \
  if (!SandboxIsFull()) MIG_SKIP("this kernel lacks part of the sandbox")

constexpr std::string_view kNo = "denied: Operation not permitted";
constexpr std::string_view kKilled = "killed by signal 31 (Bad system call)";

}  // namespace

TEST_CASE("mig module: parameters on stdin, MIG's result object on stdout", "[module]") {
  const auto outcome = Run({"example"}, R"({"gethostname":true})");
  const ModuleResult result = ResultOf(outcome);
  CHECK(outcome.exit.status == 0);
  CHECK(result.success);
  CHECK(result.foundanything);
  CHECK(result.elements.get_object().contains("hostname"));
  CHECK(outcome.stdout_bytes.find("\"errors\":null") != std::string::npos);
  CHECK(outcome.stdout_bytes.ends_with("}\n"));
}

TEST_CASE("mig module: parameters as words, as for mig query", "[module]") {
  const ModuleResult result = ResultOf(Run({"example", "-lookuphost", "localhost"}));
  CHECK(json::Write(result.elements) == R"({"lookeduphost":{"localhost":["127.0.0.1","::1"]}})");
}

TEST_CASE("mig module: exit status is 0 found, 1 nothing found, 2 usage, 3 failed", "[module]") {
  CHECK(Run({"probe", "-attempt", "rows"}).exit.status == 0);
  CHECK(Run({"probe", "-attempt", "nothing"}).exit.status == 1);
  CHECK(Run({"probe", "-attempt", "throw"}).exit.status == 3);
  CHECK(Run({"probe"}, "not JSON").exit.status == 3);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"nosuch"},
                                             {"probe", "--limits", "{"},
                                             {"probe", "--limits", R"({"sceonds":1})"},
                                             {"probe", "--limits"},
                                             {"probe", "--root", "relative"},
                                             {"probe", "--require-sandbox", "none"},
                                             {"probe", "-atempt", "rows"},
                                             {"probe", "-attempt", "rows", "stray"}}) {
    const auto outcome = Run(words);
    INFO((words.empty() ? "" : words.back()));
    CHECK(outcome.exit.status == 2);
    CHECK(outcome.stdout_bytes.empty());
    CHECK_FALSE(outcome.stderr_bytes.empty());
  }
  CHECK(Run({"exmple"}).stderr_bytes.find("did you mean `example`?") != std::string::npos);
}

TEST_CASE("mig module: list and help come from the declarations", "[module]") {
  const auto list = Run({"list"});
  CHECK(list.exit.status == 0);
  CHECK(list.stdout_bytes.find("example      investigate   1  tells") != std::string::npos);
  const auto help = Run({"example", "--help"});
  CHECK(help.exit.status == 0);
  CHECK(help.stdout_bytes == ModuleHelp(*FindModule("example")));
}

TEST_CASE("mig module: what goes wrong is a result with success false", "[module]") {
  const ModuleResult thrown = ResultOf(Run({"probe", "-attempt", "throw"}));
  CHECK_FALSE(thrown.success);
  CHECK(thrown.errors == std::vector<std::string>{"the module probe failed: the probe throws"});
  CHECK(ResultOf(Run({"probe"}, R"({"atempt":"x"})")).errors.at(0) == "attempt: is missing");
  CHECK(ResultOf(Run({"probe"}, R"({"attempt":"rows","x":1})")).errors.at(0) ==
        "x: the module probe has no such parameter");
  CHECK(ResultOf(Run({"probe"}, R"({"attempt":"rows"} )" + std::string(2'000'000, ' ')))
            .errors.at(0)
            .find("more than") != std::string::npos);
}

TEST_CASE("mig module --frames: the stream decodes to the same answer", "[module]") {
  const std::string parameters = R"({"attempt":"rows","count":1000})";
  const auto outcome = Run({"probe", "--frames"}, parameters);
  CHECK(outcome.exit.status == 0);
  FrameDecoder decoder;
  REQUIRE(decoder.Feed(outcome.stdout_bytes));
  ResultJoiner joiner;
  std::optional<ModuleResult> summary;
  while (!summary) {
    auto frame = decoder.Next();
    REQUIRE(frame);
    REQUIRE(frame->has_value());
    if ((*frame)->element) joiner.Add((*frame)->element->label, (*frame)->element->element);
    if ((*frame)->summary) summary = std::move((*frame)->summary);
  }
  CHECK(decoder.finished());
  const auto joined = std::move(joiner).Finish(std::move(*summary));
  REQUIRE(joined);
  const ModuleResult direct = ResultOf(Run({"probe"}, parameters));
  CHECK(joined->elements == direct.elements);
  CHECK(joined->elements.get_object().at("probe").as_array().size() == 1000);
}

TEST_CASE("mig module: limits of rows and bytes end the answer, and say so", "[module]") {
  for (const char* form : {"--frames", "--privacy"}) {
    const auto outcome =
        Run({"probe", form, "--limits", R"({"rows":10})", "-attempt", "rows", "-count", "1000"});
    CHECK(outcome.exit.status == 0);
    CHECK(outcome.stdout_bytes.find(R"("truncated":"rows")") != std::string::npos);
    CHECK(outcome.stdout_bytes.find(R"({"row":9})") != std::string::npos);
    CHECK(outcome.stdout_bytes.find(R"({"row":10})") == std::string::npos);
  }
  const ModuleResult result =
      ResultOf(Run({"probe", "--limits", R"({"bytes":95})", "-attempt", "rows", "-count", "1000"}));
  CHECK(result.elements.get_object().at("probe").as_array().size() == 10);  // {"row":0} is 9 bytes
  CHECK(result.statistics.get_object().at("truncated") == "bytes");
}

TEST_CASE("mig module: a hundred thousand rows do not need memory for all", "[module]") {
  const auto outcome =
      Run({"probe", "--limits", R"({"rss":4194304})", "-attempt", "rows", "-count", "1000000"});
  CHECK(outcome.exit.status == 0);
  CHECK(outcome.stdout_bytes.size() > 10'000'000);
  CHECK(ResultOf(outcome).success);
}

TEST_CASE("mig module: nobody reads any more, so it ends", "[module]") {
  os::ChildOptions options;
  options.program = MODULE_CHILD;
  options.argv = {"mig-module", "probe", "--frames", "-attempt", "rows", "-count", "10000000"};
  auto child = os::ChildProcess::Start(options);
  REQUIRE(child);
  child->stdout_pipe().Reset();
  CHECK(child->Wait().status == 74);
}

TEST_CASE("mig module: the result says under which sandbox it ran", "[module]") {
  const auto report = os::ProbeSandbox();
  const ModuleResult result = ResultOf(Run({"probe", "-attempt", "nothing"}));
  CHECK(result.sandbox == os::SandboxLevelName(report.level));
  NEED_SANDBOX();
  CHECK(ResultOf(Run({"probe", "--require-sandbox", "full", "-attempt", "nothing"})).success);
}

TEST_CASE("probe: an undeclared connect is denied", "[module]") {
  NEED_SANDBOX();
  const os::FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener.get(), 8) == 0);
  REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string target = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  CHECK(Inside("connect", target) == kNo);
  CHECK(Outside("connect", target) == 0);
}

TEST_CASE("probe: writing, executing and reading secrets are denied", "[module]") {
  NEED_SANDBOX();
  const TempFolder folder;
  const std::string file = (folder / "written").string();
  CHECK(Inside("write", file) == kNo);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(Outside("write", file) == 0);
  CHECK(Inside("exec") == kNo);
  CHECK(Outside("exec") == 0);
  CHECK(Inside("shadow") == kNo);
  if (::geteuid() == 0) CHECK(Outside("shadow") == 0);
}

TEST_CASE("probe: other processes cannot be signalled or traced, nothing mounted", "[module]") {
  NEED_SANDBOX();
  Victim victim;
  const std::string target = std::to_string(victim.pid());
  CHECK(Inside("ptrace", target) == kKilled);
  CHECK(Inside("signal", target) == kNo);
  CHECK(Inside("signal") == kNo);  // the parent, as the agent would be
  CHECK_FALSE(victim.EndedBy(0));
  CHECK(Outside("ptrace", target) == 0);
  CHECK(Outside("signal", target) == 0);
  CHECK(victim.EndedBy(SIGTERM));
  CHECK(Inside("mount") == kKilled);
}

TEST_CASE("probe: two gigabytes of memory are not to be had", "[module]") {
  NEED_SANDBOX();
  CHECK(Inside("memory") == "denied: Cannot allocate memory");
  CHECK(Outside("memory") == 0);
}

TEST_CASE("probe: a fork bomb does not go off", "[module]") {
  NEED_SANDBOX();
  CHECK(Inside("forkbomb") == kNo);
  CHECK(Outside("forkbomb") == 0);
}

TEST_CASE("probe: ignoring SIGTERM does not outlive the deadline", "[module]") {
  const auto outcome = Run({"probe", "-attempt", "ignoreterm"}, "", 500ms);
  CHECK(outcome.timed_out);
  CHECK(outcome.exit.signal == SIGKILL);
}

TEST_CASE("probe: a crash ends without an answer, not with half of one", "[module]") {
  const auto outcome = Run({"probe", "--frames", "-attempt", "crash"});
  CHECK(outcome.exit.signal == SIGABRT);
  CHECK(outcome.stdout_bytes.empty());
}

TEST_CASE("module: what only some parameters may is given by --more-rights, and to these alone",
          "[module]") {
  const TempFolder folder;
  folder.Write("there", "x");
  const auto search = [&](bool deleted) {
    return json::Write(json::object{
        {"searches",
         json::object{{"s1", json::object{{"paths", json::array{folder.path().string()}},
                                          {"names", json::array{"there"}},
                                          {"options", json::object{{"deleted", deleted}}}}}}}});
  };
  CHECK(ResultOf(Run({"file"}, search(false))).success);
  const ModuleResult refused = ResultOf(Run({"file"}, search(true)));
  CHECK_FALSE(refused.success);
  REQUIRE(refused.errors.size() == 1);
  CHECK(refused.errors.front().find("read other processes") != std::string::npos);
  const ModuleResult given = ResultOf(Run({"file", "--more-rights"}, search(true)));
  CHECK(given.success);
  // A module that never needs more is given no more.
  const auto none = Run({"example", "--more-rights"}, R"({"gethostname": true})");
  CHECK(ResultOf(none).success);
}
