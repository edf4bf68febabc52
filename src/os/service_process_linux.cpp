#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/service_process.h"

namespace mig::os {
namespace {

constexpr int kFirstListenFd = 3;  // SD_LISTEN_FDS_START
constexpr std::size_t kPidDigits = 10;

struct Plan {
  const char* program;
  char* const* argv;
  char* const* environment;
  char* listen_pid;  // where the digits of LISTEN_PID go; null without sockets
  int stdin_fd, stdout_fd, stderr_fd;
  const int* listen_fds;
  int listen_count;
  int error_fd;
  pid_t parent;
  bool dies_with_parent;
};

// Between fork and exec: only async-signal-safe calls (signal-safety(7)).

// Asio opens its sockets without close-on-exec, so nobody else can be relied on for this.
void CloseOnExecFrom(int first) {
  constexpr unsigned kCloseRangeCloexec = 4;  // CLOSE_RANGE_CLOEXEC, Linux 5.11
  if (::syscall(SYS_close_range, first, ~0u, kCloseRangeCloexec) == 0) return;
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const int last = static_cast<int>(std::min<rlim_t>(files.rlim_cur, 65'536));
  for (int fd = first; fd < last; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

[[noreturn]] void BecomeProgram(const Plan& plan, int* scratch) {
  const auto fail = [&](int error_fd) {
    const int error = errno;
    [[maybe_unused]] const ssize_t written = ::write(error_fd, &error, sizeof error);
    ::_exit(127);
  };
  // Any of the descriptors may stand where another one has to go: all move out of the way first.
  const int wanted = kFirstListenFd + plan.listen_count;
  const int error_fd = ::fcntl(plan.error_fd, F_DUPFD_CLOEXEC, wanted);
  if (error_fd < 0) fail(plan.error_fd);
  for (int i = 0; i < wanted; ++i) {
    const int from = i == 0   ? plan.stdin_fd
                     : i == 1 ? plan.stdout_fd
                     : i == 2 ? plan.stderr_fd
                              : plan.listen_fds[i - kFirstListenFd];
    scratch[i] = ::fcntl(from, F_DUPFD_CLOEXEC, wanted);
    if (scratch[i] < 0) fail(error_fd);
  }
  for (int i = 0; i < wanted; ++i) {
    if (::dup2(scratch[i], i) < 0) fail(error_fd);
  }
  ::setsid();
  if (plan.dies_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // it died before the line above
  }
  if (plan.listen_pid != nullptr) {
    char reversed[kPidDigits];
    std::size_t digits = 0;
    for (int pid = ::getpid(); pid > 0; pid /= 10) {
      reversed[digits++] = static_cast<char>('0' + pid % 10);
    }
    for (std::size_t i = 0; i < digits; ++i) plan.listen_pid[i] = reversed[digits - 1 - i];
    plan.listen_pid[digits] = '\0';
  }
  if (::chdir("/") != 0) fail(error_fd);
  // Handlers go at exec by themselves; what is ignored would stay so.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  CloseOnExecFrom(wanted);
  ::execve(plan.program, plan.argv, plan.environment);
  fail(error_fd);
  ::_exit(127);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> EnvironmentFor(std::size_t listen_fds) {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    if (!text.starts_with("LISTEN_")) variables.emplace_back(text);
  }
  if (listen_fds > 0) {
    variables.push_back("LISTEN_FDS=" + std::to_string(listen_fds));
    variables.push_back("LISTEN_PID=" + std::string(kPidDigits, '0'));
  }
  return variables;
}

}  // namespace

Expected<ServiceProcess> ServiceProcess::Start(const ServiceOptions& options) {
  const std::string what = "start " + options.program;
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoError(errno, what);
  FileDescriptor failure(ends[0]);
  FileDescriptor error_end(ends[1]);
  const FileDescriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) return ErrnoError(errno, "open /dev/null");

  std::vector<std::string> arguments = options.argv;
  std::vector<std::string> variables = EnvironmentFor(options.listen_fds.size());
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> environment = Pointers(variables);
  std::vector<int> scratch(kFirstListenFd + options.listen_fds.size());
  Plan plan{};
  plan.program = options.program.c_str();
  plan.argv = argv.data();
  plan.environment = environment.data();
  if (!options.listen_fds.empty()) {
    plan.listen_pid = variables.back().data() + variables.back().size() - kPidDigits;
  }
  plan.stdin_fd = null.get();
  plan.stdout_fd = options.stdout_fd >= 0 ? options.stdout_fd : null.get();
  plan.stderr_fd = options.stderr_fd >= 0 ? options.stderr_fd : null.get();
  plan.listen_fds = options.listen_fds.data();
  plan.listen_count = static_cast<int>(options.listen_fds.size());
  plan.error_fd = error_end.get();
  plan.parent = ::getpid();
  plan.dies_with_parent = options.dies_with_us;

  // A handler of ours must not run in the half-made child.
  sigset_t all, before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) BecomeProgram(plan, scratch.data());
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return ErrnoError(errno, what);
  error_end.Reset();
  // The pipe closes by itself when exec succeeds.
  int error = 0;
  ssize_t got = 0;
  do {
    got = ::read(failure.get(), &error, sizeof error);
  } while (got < 0 && errno == EINTR);
  if (got != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return ErrnoError(got == sizeof error ? error : EIO, what);
  }
  FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return ServiceProcess(pid, std::move(pidfd));
}

void ServiceProcess::Terminate() {
  if (pid_ > 0) ::kill(-pid_, SIGTERM);
}

void ServiceProcess::Kill() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

bool ServiceProcess::Ended(std::string* how) {
  if (pid_ <= 0) return true;
  // Looked at without reaping: as long as the dead leader is there its number is ours, and the rest
  // of its group, which must not go on holding its files and ports, can be killed.
  siginfo_t info{};
  const int looked = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  if (looked == 0 && info.si_pid == 0) return false;
  if (looked != 0 && errno == EINTR) return false;
  ::kill(-pid_, SIGKILL);
  int status = 0;
  pid_t reaped = -1;
  do {
    reaped = ::waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  pid_ = -1;
  if (reaped > 0 && WIFSIGNALED(status)) {
    const char* name = ::sigdescr_np(WTERMSIG(status));
    *how = "killed by signal " + std::to_string(WTERMSIG(status)) +
           (name == nullptr ? "" : " (" + std::string(name) + ")");
  } else {
    *how = "exit status " + std::to_string(reaped > 0 ? WEXITSTATUS(status) : -1);
  }
  return true;
}

}  // namespace mig::os
