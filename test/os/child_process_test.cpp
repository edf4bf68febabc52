#include "os/child_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::os;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr seconds kPlenty{60};

ChildOptions Shell(std::string script) {
  ChildOptions options;
  options.program = "/bin/sh";
  options.argv = {"sh", "-c", std::move(script)};
  options.environment = {"PATH=/usr/bin:/bin"};
  return options;
}

bool Alive(int pid) { return ::kill(pid, 0) == 0; }

// Waits until the process is gone or a zombie nobody of us can reap (its new parent will).
bool Gone(int pid) {
  for (int i = 0; i < 1000; ++i) {
    if (!Alive(pid)) return true;
    const auto stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
    if (!stat || stat->find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

}  // namespace

TEST_CASE("child: input reaches it, both outputs and the exit status come back", "[os]") {
  const auto outcome = RunChild(Shell("cat; echo oops >&2; exit 3"), "in\n", kPlenty);
  REQUIRE(outcome);
  CHECK(outcome->stdout_bytes == "in\n");
  CHECK(outcome->stderr_bytes == "oops\n");
  CHECK(outcome->exit.status == 3);
  CHECK(outcome->exit.Describe() == "exit status 3");
  CHECK_FALSE(outcome->exit.ok());
  CHECK(outcome->exit.max_resident_bytes > 100'000);
  CHECK_FALSE(outcome->timed_out);
}

TEST_CASE("child: megabytes in both directions at once do not deadlock", "[os]") {
  const std::string input(3'000'000, 'x');
  const auto outcome = RunChild(Shell("cat"), input, kPlenty);
  REQUIRE(outcome);
  CHECK(outcome->stdout_bytes == input);
}

TEST_CASE("child: one that does not read its input is no error", "[os]") {
  const auto outcome =
      RunChild(Shell("exec 0<&-; echo done"), std::string(1'000'000, 'x'), kPlenty);
  REQUIRE(outcome);
  CHECK(outcome->exit.ok());
  CHECK(outcome->stdout_bytes == "done\n");
}

TEST_CASE("child: a program that is not there is an error of the start, not exit 127", "[os]") {
  ChildOptions options;
  options.program = "/no/such/program";
  options.argv = {"x"};
  const auto outcome = RunChild(options, "", kPlenty);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == Errc::kNotFound);
  CHECK(outcome.error().message().find("/no/such/program") != std::string::npos);
  options.program = "/etc/passwd";
  CHECK(RunChild(options, "", kPlenty).error().code() == Errc::kDenied);
}

TEST_CASE("child: one that ignores SIGTERM dies at the deadline with its whole family", "[os]") {
  const TempFolder folder;
  const std::string pids = (folder / "pids").string();
  const auto before = std::chrono::steady_clock::now();
  const auto outcome =
      RunChild(Shell("trap '' TERM; sleep 300 & echo $$ $! > " + pids + "; while :; do wait; done"),
               "", milliseconds(400));
  REQUIRE(outcome);
  CHECK(outcome->timed_out);
  CHECK(outcome->exit.signal == SIGKILL);
  CHECK(outcome->exit.Describe() == "killed by signal 9 (Killed)");
  CHECK(std::chrono::steady_clock::now() - before < seconds(30));
  int leader = 0;
  int grandchild = 0;
  REQUIRE(std::sscanf(ReadFile(pids).value().c_str(), "%d %d", &leader, &grandchild) == 2);
  CHECK(Gone(leader));
  CHECK(Gone(grandchild));
}

TEST_CASE("child: a grandchild that outlives it is killed, and its open pipe does not hold us",
          "[os]") {
  const TempFolder folder;
  const std::string pids = (folder / "pids").string();
  const auto outcome = RunChild(Shell("sleep 300 & echo $! > " + pids + "; echo out"), "", kPlenty);
  REQUIRE(outcome);
  CHECK(outcome->exit.ok());
  CHECK(outcome->stdout_bytes == "out\n");
  CHECK(Gone(std::stoi(ReadFile(pids).value())));
}

TEST_CASE("child: endless output is cut at the bound and the child killed", "[os]") {
  ChildLimits limits;
  limits.stdout_bytes = 1'000'000;
  const auto outcome = RunChild(Shell("yes"), "", kPlenty, limits);
  REQUIRE(outcome);
  CHECK(outcome->overflowed);
  CHECK(outcome->stdout_bytes.size() == 1'000'000);
  CHECK(outcome->exit.signal == SIGKILL);
}

TEST_CASE("child: endless complaints are dropped past the bound, the answer still counts", "[os]") {
  ChildLimits limits;
  limits.stderr_bytes = 100;
  const auto outcome =
      RunChild(Shell("head -c 1000000 /dev/zero >&2; echo answer"), "", kPlenty, limits);
  REQUIRE(outcome);
  CHECK(outcome->exit.ok());
  CHECK(outcome->stderr_bytes.size() == 100);
  CHECK(outcome->stdout_bytes == "answer\n");
}

TEST_CASE("child: it inherits no descriptor, no environment, no ignored signal", "[os]") {
  const FileDescriptor leak(::dup(1));  // without close-on-exec
  REQUIRE(leak.valid());
  ::setenv("MIG_TEST_SECRET", "1", 1);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto outcome =
      RunChild(Shell("[ -e /proc/self/fd/1 ] && echo open; [ -e /proc/self/fd/" +
                     std::to_string(leak.get()) + " ] || echo closed; env | grep -c SECRET; " +
                     "grep SigIgn /proc/self/status"),
               "", kPlenty);
  ::signal(SIGPIPE, before);
  REQUIRE(outcome);
  CHECK(outcome->stdout_bytes == "open\nclosed\n0\nSigIgn:\t0000000000000000\n");
}

TEST_CASE("child: low priority means nice 19, idle I/O, first victim of a full memory", "[os]") {
  const auto outcome =
      RunChild(Shell("nice; cat /proc/self/oom_score_adj; ps -o sid= -p $$ | tr -d ' '; echo $$"),
               "", kPlenty);
  REQUIRE(outcome);
  int nice = 0, oom = 0, session = 0, pid = -1;
  std::sscanf(outcome->stdout_bytes.c_str(), "%d %d %d %d", &nice, &oom, &session, &pid);
  CHECK(nice == 19);
  CHECK(oom == 1000);
  CHECK(session == pid);
}

TEST_CASE("child: destroying the handle leaves nobody behind", "[os]") {
  int pid = 0;
  {
    auto child = ChildProcess::Start(Shell("trap '' TERM; while :; do :; done"));
    REQUIRE(child);
    pid = child->pid();
    CHECK_FALSE(child->Poll());
    CHECK(Alive(pid));
  }
  CHECK_FALSE(Alive(pid));
}

TEST_CASE("child: its pidfd becomes readable when it ends, and Poll repeats the answer", "[os]") {
  auto child = ChildProcess::Start(Shell("read x; exit 7"));
  REQUIRE(child);
  if (!child->pidfd().valid()) MIG_SKIP("this kernel has no pidfd_open");
  CHECK_FALSE(child->Poll());
  child->stdin_pipe().Reset();
  pollfd wait{child->pidfd().get(), POLLIN, 0};
  REQUIRE(::poll(&wait, 1, 60'000) == 1);
  CHECK(child->Poll()->status == 7);
  CHECK(child->Poll()->status == 7);
  child->Kill();  // harmless
}

TEST_CASE("child: it dies with the process that started it", "[os]") {
  const TempFolder folder;
  const std::string pids = (folder / "pid").string();
  const pid_t middle = ::fork();
  REQUIRE(middle >= 0);
  if (middle == 0) {
    auto child = ChildProcess::Start(Shell("echo $$ > " + pids + "; kill -9 $PPID; sleep 300"));
    for (;;) ::pause();
  }
  int status = 0;
  REQUIRE(::waitpid(middle, &status, 0) == middle);
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(Gone(std::stoi(ReadFile(pids).value())));
}
