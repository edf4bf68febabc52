#include "os/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace mig::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Pipe {
  FileDescriptor read_end;
  FileDescriptor write_end;
};

Expected<Pipe> MakePipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoError(errno, "make a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void MakeNonBlocking(const FileDescriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// ---- Between fork and exec: other threads may have held any lock, so only async-signal-safe
// calls (signal-safety(7)), no allocation, no C++ library.

constexpr int kErrorPipe = 3;  // where the child keeps the pipe that tells of a failed exec

void LowerPriority() {
  // Each is an improvement, none a condition: a container may forbid some of them.
  ::setpriority(PRIO_PROCESS, 0, 19);
  // Batch, not idle: on a machine that is busy all day an idle process never answers.
  const sched_param none{};
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  constexpr int kIoPriorityWhoProcess = 1;
  constexpr int kIoPriorityIdle = 3 << 13;  // ioprio_set(2)
  ::syscall(SYS_ioprio_set, kIoPriorityWhoProcess, 0, kIoPriorityIdle);
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd >= 0) {
    [[maybe_unused]] const ssize_t ignored = ::write(fd, "1000", 4);
    ::close(fd);
  }
}

void CloseFrom(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0u, 0) == 0) return;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const unsigned last = files.rlim_cur < 65'536 ? static_cast<unsigned>(files.rlim_cur) : 65'536;
  for (unsigned fd = first; fd < last; ++fd) ::close(static_cast<int>(fd));
}

struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* environment;
  int stdin_fd, stdout_fd, stderr_fd;  // stderr_fd -1: keep ours
  int error_fd;
  pid_t parent;
  bool low_priority;
};

[[noreturn]] void BecomeProgram(const ChildPlan& plan) {
  int error = 0;
  // The descriptors may be among 0..3 themselves, when we were started without some of those:
  // move all out of the way first.
  int moved[4] = {plan.stdin_fd, plan.stdout_fd, plan.stderr_fd, plan.error_fd};
  for (int& fd : moved) {
    if (fd < 0) continue;
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (fd < 0) error = errno;
  }
  const int error_fd = moved[3];
  if (error == 0) {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // it died before the line above
    if (::dup2(moved[0], 0) < 0 || ::dup2(moved[1], 1) < 0 ||
        (moved[2] >= 0 && ::dup2(moved[2], 2) < 0) || ::dup3(error_fd, kErrorPipe, O_CLOEXEC) < 0) {
      error = errno;
    }
  }
  if (error == 0) {
    CloseFrom(kErrorPipe + 1);
    if (plan.low_priority) LowerPriority();
    ::umask(077);
    if (::chdir("/") != 0) error = errno;
  }
  if (error == 0) {
    // Ignored signals stay ignored through exec; handlers do not.
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(plan.program, plan.argv, plan.environment);
    error = errno;
  }
  [[maybe_unused]] ssize_t ignored = ::write(kErrorPipe, &error, sizeof error);
  if (ignored != sizeof error) ignored = ::write(error_fd, &error, sizeof error);
  ::_exit(127);
}

// ---- End of that.

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Blocks all signals while it lives: a handler of ours must not run in the half-made child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// Writing to a child that has gone must be an error here, whether or not the process ignores
// SIGPIPE: blocks it for this thread, and takes what became pending before unblocking.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocked() {
    if (!sigismember(&before_, SIGPIPE)) {
      const timespec now{};
      ::sigtimedwait(&sigpipe_, nullptr, &now);
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t sigpipe_;
  sigset_t before_;
};

enum class ReadState { kOpen, kClosed };

// Reads what there is, keeps at most `bound` bytes; `dropped` says that there were more.
ReadState ReadAvailable(const FileDescriptor& fd, Bytes& into, std::size_t bound, bool& dropped) {
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN ? ReadState::kOpen : ReadState::kClosed;
    if (got == 0) return ReadState::kClosed;
    const std::size_t room = bound - into.size();
    const std::size_t keep = std::min(room, static_cast<std::size_t>(got));
    into.append(chunk.data(), keep);
    if (keep < static_cast<std::size_t>(got)) {
      dropped = true;
      return ReadState::kOpen;  // come back for the rest: an endless writer must not hold us here
    }
  }
}

}  // namespace

std::string SelfExecutable() { return "/proc/self/exe"; }

std::string ChildExit::Describe() const {
  if (status) return "exit status " + std::to_string(*status);
  if (signal) {
    const char* name = ::sigdescr_np(*signal);
    return "killed by signal " + std::to_string(*signal) +
           (name == nullptr ? "" : " (" + std::string(name) + ")");
  }
  return "ended, and something else reaped it";
}

Expected<ChildProcess> ChildProcess::Start(const ChildOptions& options) {
  const std::string what = "start " + options.program;
  auto in = MakePipe();
  if (!in) return std::move(in).error().During(what);
  auto out = MakePipe();
  if (!out) return std::move(out).error().During(what);
  auto failure = MakePipe();
  if (!failure) return std::move(failure).error().During(what);
  Pipe err;
  if (options.capture_stderr) {
    auto made = MakePipe();
    if (!made) return std::move(made).error().During(what);
    err = std::move(*made);
  }

  const std::vector<char*> argv = Pointers(options.argv);
  const std::vector<char*> environment = Pointers(options.environment);
  const ChildPlan plan{options.program.c_str(),  argv.data(),          environment.data(),
                       in->read_end.get(),       out->write_end.get(), err.write_end.get(),
                       failure->write_end.get(), ::getpid(),           options.low_priority};
  ChildProcess child;
  {
    const SignalsBlocked blocked;
    child.pid_ = ::fork();
    if (child.pid_ == 0) BecomeProgram(plan);
  }
  if (child.pid_ < 0) return ErrnoError(errno, what);
  in->read_end.Reset();
  out->write_end.Reset();
  err.write_end.Reset();
  failure->write_end.Reset();

  // The pipe closes by itself when exec succeeds, and by then the child leads its own group.
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure->read_end.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {
    child.Wait();
    return ErrnoError(got == sizeof error ? error : EIO, what);
  }
  child.pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  child.stdin_ = std::move(in->write_end);
  child.stdout_ = std::move(out->read_end);
  child.stderr_ = std::move(err.read_end);
  MakeNonBlocking(child.stdin_);
  MakeNonBlocking(child.stdout_);
  if (child.stderr_.valid()) MakeNonBlocking(child.stderr_);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      stdin_(std::move(other.stdin_)),
      stdout_(std::move(other.stdout_)),
      stderr_(std::move(other.stderr_)),
      exit_(std::move(other.exit_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    Reap();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    stdin_ = std::move(other.stdin_);
    stdout_ = std::move(other.stdout_);
    stderr_ = std::move(other.stderr_);
    exit_ = std::move(other.exit_);
  }
  return *this;
}

ChildProcess::~ChildProcess() { Reap(); }

void ChildProcess::Reap() {
  if (pid_ <= 0 || exit_) return;
  Kill();
  Wait();
}

void ChildProcess::Kill() {
  // After reaping, the number may already name a stranger's group.
  if (pid_ > 0 && !exit_) ::kill(-pid_, SIGKILL);
}

void ChildProcess::Terminate() {
  if (pid_ > 0 && !exit_) ::kill(-pid_, SIGTERM);
}

std::optional<ChildExit> ChildProcess::Poll() {
  if (exit_) return exit_;
  siginfo_t info{};
  const int looked = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  if (looked == 0 && info.si_pid == 0) return std::nullopt;
  return Wait();
}

ChildExit ChildProcess::Wait() {
  if (exit_) return *exit_;
  // Look first without reaping: while the dead leader is not reaped its number is ours, and the
  // rest of its group can be killed without hitting a stranger.
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  ::kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  pid_t reaped = -1;
  do {
    reaped = ::wait4(pid_, &status, 0, &usage);
  } while (reaped < 0 && errno == EINTR);
  ChildExit exit;
  if (reaped == pid_) {
    if (WIFEXITED(status)) exit.status = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) exit.signal = WTERMSIG(status);
    exit.max_resident_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
    exit.cpu_time = std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                    std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  exit_ = exit;
  return exit;
}

Expected<ChildOutcome> RunChild(const ChildOptions& options, BytesView input,
                                milliseconds time_limit, const ChildLimits& limits) {
  const SigpipeBlocked no_sigpipe;
  const auto deadline = steady_clock::now() + time_limit;
  auto started = ChildProcess::Start(options);
  if (!started) return std::move(started).error();
  ChildProcess child = std::move(*started);
  ChildOutcome outcome;
  if (input.empty()) child.stdin_pipe().Reset();

  bool ended = false;
  while (!ended) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) {
      outcome.timed_out = true;
      child.Kill();
      break;
    }
    // poll(2) skips negative descriptors, so closed pipes may stay in the list. Without pidfd the
    // end of stdout is looked for, and the child asked now and then.
    std::array<pollfd, 4> waits{{{child.pidfd().get(), POLLIN, 0},
                                 {child.stdout_pipe().get(), POLLIN, 0},
                                 {child.stderr_pipe().get(), POLLIN, 0},
                                 {child.stdin_pipe().get(), POLLOUT, 0}}};
    const int longest = child.pidfd().valid() ? INT_MAX : 20;
    const int timeout = static_cast<int>(std::min<long long>(left, longest));
    if (::poll(waits.data(), waits.size(), timeout) < 0 && errno != EINTR) {
      return ErrnoError(errno, "watch " + options.program);
    }
    if (waits[3].revents != 0) {
      const ssize_t written = ::write(child.stdin_pipe().get(), input.data(), input.size());
      if (written > 0) input.remove_prefix(static_cast<std::size_t>(written));
      // A child that does not read its input is its own affair; its answer may still be right.
      if (input.empty() || (written < 0 && errno != EAGAIN && errno != EINTR)) {
        child.stdin_pipe().Reset();
      }
    }
    ended = child.Poll().has_value();
    // Read after looking for the end: what it wrote before ending is then all there.
    bool dropped = false;
    if (child.stdout_pipe().valid() &&
        ReadAvailable(child.stdout_pipe(), outcome.stdout_bytes, limits.stdout_bytes,
                      outcome.overflowed) == ReadState::kClosed) {
      child.stdout_pipe().Reset();
    }
    if (child.stderr_pipe().valid() &&
        ReadAvailable(child.stderr_pipe(), outcome.stderr_bytes, limits.stderr_bytes, dropped) ==
            ReadState::kClosed) {
      child.stderr_pipe().Reset();
    }
    if (outcome.overflowed) {
      child.Kill();
      break;
    }
  }
  outcome.exit = child.Wait();
  return outcome;
}

}  // namespace mig::os
