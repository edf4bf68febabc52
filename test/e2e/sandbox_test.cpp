// What a module cannot do, tried by a child of a lab's agent, on the orders of a signed question.
// Each attempt is also made in a lab whose children stay out of the sandbox (no_sandbox.cpp), where
// it must succeed or reach the kernel: else the first half would show nothing.
#include "os/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "os/files.h"
#include "test/e2e/courier.h"
#include "test/skip.h"

using namespace mig;
using namespace mig::e2e;

namespace {

constexpr const char* kNotPermitted = "denied: Operation not permitted";
constexpr const char* kNoAccess = "denied: Permission denied";
constexpr const char* kNoMemory = "denied: Cannot allocate memory";
constexpr const char* kKilled = "killed by signal 31 (Bad system call)";

#define NEED_SANDBOX() \
  if (os::ProbeSandbox().level != os::SandboxLevel::kFull) MIG_SKIP("no full sandbox here")

std::string UnconfinedExecutable() { return Executable() + "-unconfined"; }

// What became of the attempt, as its answer tells the investigator: "done", "denied: REASON", or
// how the child ended.
std::string Attempt(const Lab& lab, std::vector<std::string> words) {
  words.insert(words.begin(),
               {"query", "probe", "-t", "all", "--show", "all", "--json", "-attempt"});
  const Outcome outcome = lab.Mig(words);
  INFO(outcome.out << outcome.err);
  const json::value document = ParseJson(outcome.out);
  REQUIRE(document.at("answers").as_array().size() == 1);
  const json::value& result = document.at("answers").at(0).at("result");
  if (!result.at("success").as_bool()) {
    const std::string why(result.at("errors").at(0).as_string());
    const auto at = why.find("killed by");
    return at == std::string::npos ? why : why.substr(at);
  }
  const json::value& probe = result.at("elements").at("probe").at(0);
  const std::string came(probe.at("outcome").as_string());
  if (came == "done") return came;
  return came + ": " + std::string(probe.at("reason").as_string());
}

// A listening socket on a port from the kernel that nobody should reach.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_.get(), 8) == 0);
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    target_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  const std::string& target() const { return target_; }
  // Whether somebody has connected since the last time.
  bool WasReached() const {
    return os::FileDescriptor(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)).valid();
  }

 private:
  os::FileDescriptor fd_;
  std::string target_;
};

// The line of a process's status after `key`; empty when the process has ended or is a zombie.
std::string StatusOf(int pid, const std::string& key) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  std::string found;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("State:") && line.find('Z') != std::string::npos) return "";
    if (line.starts_with(key + ":\t")) found = line.substr(key.size() + 2);
  }
  return found;
}

bool Ignores(int pid, int signal) {
  const std::string ignored = StatusOf(pid, "SigIgn");
  return !ignored.empty() && (std::stoull(ignored, nullptr, 16) >> (signal - 1) & 1) != 0;
}

std::vector<int> ChildrenOf(int parent) {
  std::vector<int> children;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0 && StatusOf(pid, "PPid") == std::to_string(parent)) children.push_back(pid);
  }
  return children;
}

std::string Mounts() {
  std::ifstream in("/proc/mounts");
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("sandbox: what a module tries beyond its rights is denied on a lab's agent",
          "[e2e][sandbox]") {
  NEED_SANDBOX();
  const Lab lab;
  const int agent = lab.PidOf("agent-1");
  const Listener listener;
  const std::string file = (lab.scratch() / "written").string();
  const std::string folder = (lab.scratch() / "mounted").string();
  std::filesystem::create_directory(folder);

  CHECK(Attempt(lab, {"connect", "-target", listener.target()}) == kNotPermitted);
  CHECK_FALSE(listener.WasReached());
  CHECK(Attempt(lab, {"write", "-target", file}) == kNotPermitted);
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(Attempt(lab, {"exec"}) == kNotPermitted);
  CHECK(Attempt(lab, {"ptrace"}) == kKilled);  // its parent, which is the agent
  CHECK(Attempt(lab, {"mount", "-target", folder}) == kKilled);
  CHECK(Mounts().find(folder) == std::string::npos);
  ::umount2(folder.c_str(), MNT_DETACH);  // where the sandbox is broken, nothing of it stays
  CHECK(Attempt(lab, {"shadow"}) == kNotPermitted);
  CHECK(Attempt(lab, {"signal"}) == kNotPermitted);
  CHECK(Attempt(lab, {"memory", "-count", "2048"}) == kNoMemory);
  CHECK(Attempt(lab, {"memory", "-count", "256", "--max-rss", "128m"}) == kNoMemory);
  CHECK(Attempt(lab, {"forkbomb"}) == kNotPermitted);

  CHECK(lab.PidOf("agent-1") == agent);
}

TEST_CASE("sandbox: the same attempts come through where children stay out of it",
          "[e2e][sandbox]") {
  const Lab lab(1, UnconfinedExecutable());
  const Listener listener;
  const std::string file = (lab.scratch() / "written").string();
  Background victim({"/bin/sleep", "600"});
  const std::string pid = std::to_string(victim.pid());

  CHECK(Attempt(lab, {"connect", "-target", listener.target()}) == "done");
  CHECK(listener.WasReached());
  CHECK(Attempt(lab, {"write", "-target", file}) == "done");
  CHECK(std::filesystem::exists(file));
  CHECK(Attempt(lab, {"exec"}) == "done");
  // Yama may deny this to who is not root, but not by a signal.
  const std::string traced = Attempt(lab, {"ptrace", "-target", pid});
  CHECK((traced == "done" || (::geteuid() != 0 && traced == kNotPermitted)));
  // The call reaches the kernel, which looks for the folder before it asks for rights. A folder
  // that is there would now be mounted over.
  CHECK(Attempt(lab, {"mount", "-target", (lab.scratch() / "absent").string()}) ==
        "denied: No such file or directory");
  CHECK(Attempt(lab, {"shadow"}) == (::geteuid() == 0 ? "done" : kNoAccess));
  CHECK(Attempt(lab, {"signal", "-target", pid}) == "done");
  const auto ended = victim.Wait(std::chrono::seconds(10));
  REQUIRE(ended);
  CHECK(ended->status == 128 + SIGTERM);
  // Not two gigabytes: a small machine that runs these tests has other things to hold.
  CHECK(Attempt(lab, {"memory", "-count", "256", "--max-rss", "128m"}) == "done");
  CHECK(Attempt(lab, {"forkbomb"}) == "done");
}

TEST_CASE("sandbox: the answer says how complete it was, and a policy may insist",
          "[e2e][sandbox]") {
  NEED_SANDBOX();
  const auto answer_of = [](const Lab& lab) {
    const Outcome outcome =
        lab.Mig({"query", "probe", "-t", "all", "--show", "all", "--json", "-attempt", "nothing"});
    INFO(outcome.out << outcome.err);
    return ParseJson(outcome.out).at("answers").at(0);
  };
  const auto insist = [](const Lab& lab) {
    const Deployment deployment(lab);
    Policy policy = deployment.policy;
    policy.version += 1;
    policy.require_full_sandbox = true;
    Courier(lab).SendPolicy(deployment.agent, deployment, policy);
    REQUIRE(lab.LogSays("agent-1", "policy taken version=2"));
  };

  const Lab confined;
  CHECK(answer_of(confined).at("sandbox").as_string() == "full");
  insist(confined);
  CHECK(answer_of(confined).at("status").as_string() == "success");

  const Lab unconfined(1, UnconfinedExecutable());
  CHECK(answer_of(unconfined).at("sandbox").as_string() == "none");
  insist(unconfined);
  const json::value refused = answer_of(unconfined);
  CHECK(refused.at("status").as_string() == "failed");
  CHECK(json::Write(refused).find("full is required") != std::string::npos);
}

TEST_CASE("sandbox: a module that ignores SIGTERM is gone when its time is over",
          "[e2e][sandbox]") {
  const Lab lab;
  const int agent = lab.PidOf("agent-1");
  Background asked({Executable(), "query", "probe", "-t", "all", "--show", "all", "--json",
                    "--max-seconds", "2", "-attempt", "ignoreterm"},
                   lab.Options());
  int child = 0;
  REQUIRE(Eventually(std::chrono::seconds(20), [&] {
    for (const int pid : ChildrenOf(agent)) {
      if (Ignores(pid, SIGTERM)) child = pid;
    }
    return child != 0;
  }));
  REQUIRE(::kill(child, SIGTERM) == 0);
  CHECK(Ignores(child, SIGTERM));  // it lives on

  const auto outcome = asked.Wait(std::chrono::seconds(20));
  REQUIRE(outcome);
  INFO(outcome->out << outcome->err);
  CHECK(outcome->status == 3);
  CHECK(ParseJson(outcome->out).at("answers").at(0).at("status").as_string() == "timeout");
  CHECK(StatusOf(child, "State").empty());
  CHECK(lab.Mig({"query", "example", "-gethostname"}).status == 0);
  CHECK(lab.PidOf("agent-1") == agent);
}
