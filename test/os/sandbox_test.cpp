// The sandbox, entered for real in forked children. Each thing that it denies is also tried
// without it, so that a test cannot pass because the attempt fails anyway.
#include "os/sandbox.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <functional>

#include "os/files.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::os;

namespace {

constexpr int kSucceeded = 0;
constexpr int kNotEntered = 200;

struct Ending {
  int status = -1;  // exit status: 0 or the errno of the attempt
  int signal = 0;
};

std::ostream& operator<<(std::ostream& out, const Ending& ending) {
  return out << "status " << ending.status << ", signal " << ending.signal;
}

// Runs `attempt`, which gives 0 or an errno, in a child of its own.
Ending InChild(const std::function<int()>& attempt) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) ::_exit(attempt());
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  Ending ending;
  if (WIFEXITED(status)) ending.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ending.signal = WTERMSIG(status);
  return ending;
}

Ending InSandbox(const SandboxRequest& request, const std::function<int()>& attempt) {
  return InChild([&] { return EnterSandbox(request) ? attempt() : kNotEntered; });
}

SandboxRequest Request(Rights rights, std::vector<std::string> roots = {}) {
  SandboxRequest request;
  request.rights = rights;
  request.read_roots = std::move(roots);
  return request;
}

int Outcome(long result) { return result >= 0 ? kSucceeded : errno; }

int OpenOnly(const std::filesystem::path& file, int flags = O_RDONLY) {
  return Outcome(::open(file.c_str(), flags | O_CLOEXEC, 0600));
}

bool IsRoot() { return ::geteuid() == 0; }

// Succeeds outside, fails inside with EPERM or EACCES.
void CheckDenied(const SandboxRequest& request, const std::function<int()>& attempt) {
  const Ending outside = InChild(attempt);
  CHECK(outside.status == kSucceeded);
  const Ending inside = InSandbox(request, attempt);
  INFO(inside);
  CHECK((inside.status == EPERM || inside.status == EACCES));
}

// Does anything outside, is killed with SIGSYS inside.
void CheckDeadly(const std::function<void()>& call) {
  const auto attempt = [&] {
    call();
    return 0;
  };
  const Ending outside = InChild(attempt);
  INFO(outside);
  CHECK(outside.signal == 0);
  CHECK(InSandbox(Request(Right::kReadFiles), attempt).signal == SIGSYS);
}

// A listening socket on a port from the kernel.
class Listener {
 public:
  Listener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::listen(fd_.get(), 8) == 0);
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address_), &size) == 0);
  }
  int Connect() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    return Outcome(::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_));
  }

 private:
  FileDescriptor fd_;
  sockaddr_in address_{};
};

const bool kHere = ProbeSandbox().level == SandboxLevel::kFull;

constexpr const char* kLacking = "this kernel lacks part of the sandbox";

}  // namespace

TEST_CASE("sandbox: what it reports is what the probe said", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  CHECK(InChild([] {
          const auto report = EnterSandbox(Request({}));
          return report && report->level == SandboxLevel::kFull && report->missing.empty() ? 0 : 1;
        }).status == 0);
  CHECK(SandboxLevelName(ProbeSandbox().level) == "full");
}

TEST_CASE("sandbox: without the right to read files none can be opened, listed or looked at",
          "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const TempFolder folder;
  const auto file = folder.Write("f", "content");
  const std::string link = (folder / "link").string();
  REQUIRE(::symlink(file.c_str(), link.c_str()) == 0);
  CheckDenied(Request({}), [&] { return OpenOnly(file); });
  CheckDenied(Request({}), [&] { return OpenOnly(folder.path(), O_RDONLY | O_DIRECTORY); });
  CheckDenied(Request({}), [&] { return OpenOnly(file, O_PATH); });
  CheckDenied(Request({}), [&] {
    struct stat status {};
    return Outcome(::lstat(file.c_str(), &status));
  });
  CheckDenied(Request({}), [&] { return Outcome(::access(file.c_str(), F_OK)); });
  CheckDenied(Request({}), [&] {
    char target[4096];
    return Outcome(::readlink(link.c_str(), target, sizeof target));
  });
  if (IsRoot()) CheckDenied(Request({}), [] { return OpenOnly("/etc/shadow"); });
}

TEST_CASE("sandbox: the network right opens the resolver's files and no others", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const TempFolder folder;
  const auto file = folder.Write("f", "content");
  CheckDenied(Request(Right::kNetwork), [&] { return OpenOnly(file); });
  CheckDenied(Request(Right::kNetwork), [&] { return OpenOnly("/etc/passwd"); });
  CHECK(InSandbox(Request(Right::kNetwork), [&] { return OpenOnly("/etc/hosts"); }).status == 0);
}

TEST_CASE("sandbox: with the right to read files everyone's can be read", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const TempFolder folder;
  const auto file = folder.Write("private/f", "content");
  ::chmod((folder / "private").c_str(), 0700);
  ::chmod(file.c_str(), 0600);
  if (IsRoot()) {
    REQUIRE(::chown(file.c_str(), 1234, 1234) == 0);
    REQUIRE(::chown((folder / "private").c_str(), 1234, 1234) == 0);
  }
  CHECK(InSandbox(Request(Right::kReadFiles), [&] {
          const auto content = ReadFile(file);
          return content && *content == "content" ? 0 : 1;
        }).status == 0);
}

TEST_CASE("sandbox: nothing can be written, made, changed or removed", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const TempFolder folder;
  const auto file = folder.Write("f", "content");
  const auto request = Request(Right::kReadFiles | Right::kNetwork);
  const auto fresh = [&](std::string_view name) { return (folder / name).string(); };

  CheckDenied(request, [&] { return OpenOnly(file, O_WRONLY); });
  CheckDenied(request, [&] { return OpenOnly(file, O_RDWR); });
  CheckDenied(request, [&] { return OpenOnly(file, O_WRONLY | O_APPEND); });
  CheckDenied(request, [&] { return OpenOnly(fresh("open"), O_RDONLY | O_CREAT); });
  CheckDenied(request, [&] { return OpenOnly(folder.path(), O_TMPFILE | O_WRONLY); });
  // Reading all leaves Landlock nothing to say of opening; this is seccomp's alone then.
  CheckDenied(Request(Right::kReadFiles), [&] { return OpenOnly(file, O_RDONLY | O_TRUNC); });
  CheckDenied(request, [&] { return OpenOnly(file, O_RDONLY | O_TRUNC); });
  CheckDenied(request, [&] { return Outcome(::truncate(file.c_str(), 7)); });
  CheckDenied(request, [&] { return Outcome(::mkdir(fresh("mkdir").c_str(), 0700)); });
  CheckDenied(request, [&] { return Outcome(::mkfifo(fresh("mkfifo").c_str(), 0700)); });
  CheckDenied(request, [&] { return Outcome(::symlink("x", fresh("symlink").c_str())); });
  CheckDenied(request, [&] { return Outcome(::link(file.c_str(), fresh("link").c_str())); });
  CheckDenied(request, [&] { return Outcome(::chmod(file.c_str(), 0644)); });
  CheckDenied(request, [&] { return Outcome(::chown(file.c_str(), ::getuid(), ::getgid())); });
  CheckDenied(request, [&] { return Outcome(::utimensat(AT_FDCWD, file.c_str(), nullptr, 0)); });
  CheckDenied(request, [&] { return Outcome(::rename(file.c_str(), file.c_str())); });
  const auto victim = folder.Write("victim", "");
  CHECK(InSandbox(request, [&] { return Outcome(::unlink(victim.c_str())); }).status == EPERM);
  CHECK(std::filesystem::exists(victim));
  CHECK(InChild([&] { return Outcome(::unlink(victim.c_str())); }).status == 0);
}

TEST_CASE("sandbox: openat2, whose flags no filter can see, seems not to exist", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const TempFolder folder;
  const auto attempt = [&] {
    struct {
      std::uint64_t flags = O_WRONLY | O_CREAT, mode = 0600, resolve = 0;
    } how;
    return Outcome(::syscall(SYS_openat2, AT_FDCWD, (folder / "f").c_str(), &how, sizeof how));
  };
  CHECK(InSandbox(Request(Right::kReadFiles), attempt).status == ENOSYS);
  CHECK(InChild(attempt).status == kSucceeded);
}

TEST_CASE("sandbox: read roots are a wall, whatever the path looks like", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const TempFolder folder;
  folder.Write("allowed/deep/f", "in");
  folder.Write("allowed2/f", "out");
  folder.Write("secret/f", "out");
  const std::string root = (folder / "allowed").string();
  REQUIRE(::symlink((folder / "secret").c_str(), (root + "/escape").c_str()) == 0);
  REQUIRE(::symlink(root.c_str(), (folder / "to_allowed").c_str()) == 0);
  const auto request = Request(Right::kReadFiles, {root, "/no/such/root"});

  CHECK(InSandbox(request, [&] { return OpenOnly(root + "/deep/f"); }).status == 0);
  CHECK(InSandbox(request, [&] { return OpenOnly(folder / "to_allowed/deep/f"); }).status == 0);
  CheckDenied(request, [&] { return OpenOnly(root + "/escape/f"); });
  CheckDenied(request, [&] { return OpenOnly(root + "/deep/../../secret/f"); });
  CheckDenied(request, [&] { return OpenOnly(root + "2/f"); });
  CheckDenied(request, [&] { return OpenOnly(folder.path(), O_RDONLY | O_DIRECTORY); });
  CheckDenied(request, [&] { return OpenOnly("/etc/passwd"); });
  CheckDenied(request, [&] { return OpenOnly("/proc/self/root/etc/passwd"); });

  const auto by_link = Request(Right::kReadFiles, {(folder / "to_allowed").string()});
  CHECK(InSandbox(by_link, [&] { return OpenOnly(root + "/deep/f"); }).status == 0);
}

TEST_CASE("sandbox: without the network right there is no socket of any kind", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const Listener listener;
  CheckDenied(Request(Right::kReadFiles), [&] { return listener.Connect(); });
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    INFO(family);
    CheckDenied(Request({}), [&] { return Outcome(::socket(family, SOCK_DGRAM, 0)); });
  }
  CheckDenied(Request({}), [] {
    int pair[2];
    return Outcome(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  });
}

TEST_CASE("sandbox: the network right connects, but neither listens nor sniffs", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const Listener listener;
  const auto request = Request(Right::kNetwork);
  CHECK(InSandbox(request, [&] { return listener.Connect(); }).status == kSucceeded);
  CheckDenied(request, [] {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    return Outcome(::listen(fd, 1));
  });
  CheckDenied(request, [] {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    return Outcome(::bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any));
  });
  CheckDenied(request, [] { return Outcome(::socket(AF_UNIX, SOCK_STREAM, 0)); });
  if (!IsRoot()) {
    WARN("raw sockets skipped: not root");
    return;
  }
  CheckDenied(request, [] { return Outcome(::socket(AF_PACKET, SOCK_RAW, htons(3))); });
  CheckDenied(request, [] { return Outcome(::socket(AF_INET, SOCK_RAW, IPPROTO_TCP)); });
  CHECK(InSandbox(request, [] {
          return Outcome(::socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
        }).status == kSucceeded);
}

TEST_CASE("sandbox: no other program, no other process", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const auto request = Request(Right::kReadFiles | Right::kNetwork);
  CheckDenied(request, [] {
    ::execl("/bin/true", "true", nullptr);
    return errno;
  });
  CheckDenied(request, [] {
    const long pid = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) ::_exit(0);
    return Outcome(pid);
  });
  CheckDenied(request, [] {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    return Outcome(pid);
  });
}

TEST_CASE("sandbox: threads are allowed", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  CHECK(InSandbox(Request({}), [] {
          pthread_t thread{};
          const int made = ::pthread_create(
              &thread, nullptr, [](void*) -> void* { return nullptr; }, nullptr);
          return made != 0 ? made : ::pthread_join(thread, nullptr);
        }).status == kSucceeded);
}

TEST_CASE("sandbox: no signal reaches another process, its own do", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const pid_t us = ::getpid();
  CheckDenied(Request({}), [&] { return Outcome(::kill(us, SIGCONT)); });
  CheckDenied(Request({}), [&] { return Outcome(::kill(us, 0)); });
  CheckDenied(Request({}), [&] { return Outcome(::syscall(SYS_tgkill, us, us, SIGCONT)); });
  CheckDenied(Request({}), [&] { return Outcome(::syscall(SYS_tkill, us, SIGCONT)); });
  const auto aborting = InSandbox(Request({}), [] {
    ::signal(SIGABRT, SIG_DFL);
    ::raise(SIGABRT);
    return 0;
  });
  CHECK(aborting.signal == SIGABRT);
}

TEST_CASE("sandbox: the calls of an exploit end the process", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const pid_t us = ::getpid();
  CheckDeadly([&] { ::ptrace(PTRACE_SEIZE, us, nullptr, nullptr); });
  CheckDeadly([] { ::mount("none", "/no/such", "tmpfs", 0, nullptr); });
  CheckDeadly([] { ::syscall(SYS_bpf, 0, nullptr, 0); });
  CheckDeadly([] { ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); });
  CheckDeadly([] { ::syscall(SYS_io_uring_setup, 1, nullptr); });
  CheckDeadly([] { ::syscall(SYS_userfaultfd, 0); });
  CheckDeadly([] { ::syscall(SYS_unshare, 0); });
  CheckDeadly([] { ::syscall(SYS_open_by_handle_at, -1, nullptr, 0); });
}

TEST_CASE("sandbox: mounting works for root outside", "[os]") {
  // The control of the mount above: there it fails for a reason of its own.
  if (!IsRoot()) MIG_SKIP("not root");
  const TempFolder folder;
  const auto attempt = [&] {
    if (::unshare(CLONE_NEWNS) != 0) return errno;
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
    return Outcome(::mount("none", folder.path().c_str(), "tmpfs", 0, nullptr));
  };
  const Ending outside = InChild(attempt);
  if (outside.status == EPERM) MIG_SKIP("this container may not mount");
  if (outside.status == EINVAL) MIG_SKIP("the root folder is not a mount point, as in a chroot");
  CHECK(outside.status == kSucceeded);
}

TEST_CASE("sandbox: no memory becomes code", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  CheckDenied(Request({}), [] {
    void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : kSucceeded;
  });
  CheckDenied(Request({}), [] {
    void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return Outcome(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
  });
}

TEST_CASE("sandbox: two gigabytes are more than a module gets, a hundred megabytes are not",
          "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  const auto map = [](std::size_t bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? errno : kSucceeded;
  };
  const auto two_gigabytes = [&] { return map(std::size_t{2} << 30); };
  CHECK(InChild(two_gigabytes).status == kSucceeded);
  CHECK(InSandbox(Request({}), two_gigabytes).status == ENOMEM);
  CHECK(InSandbox(Request({}), [&] { return map(100u << 20); }).status == kSucceeded);
}

TEST_CASE("sandbox: processor time runs out", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  SandboxRequest request = Request({});
  request.limits.cpu_seconds = 1;
  const Ending ending = InSandbox(request, [] {
    ::signal(SIGXCPU, SIG_IGN);  // asking for more does not help
    for (;;) asm volatile("");
    return 0;
  });
  CHECK(ending.signal == SIGKILL);
}

TEST_CASE("sandbox: limits cannot be raised, and descriptors run out", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  CheckDenied(Request({}), [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    return Outcome(::setrlimit(RLIMIT_CORE, &limit));
  });
  SandboxRequest request = Request(Right::kReadFiles);
  request.limits.open_files = 16;
  CHECK(InSandbox(request, [] {
          for (int i = 0; i < 17; ++i) {
            if (::open("/", O_RDONLY | O_DIRECTORY) < 0) return errno;
          }
          return 0;
        }).status == EMFILE);
}

TEST_CASE("sandbox: root becomes nobody in particular, with one capability at most", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  if (!IsRoot()) MIG_SKIP("not root");
  CHECK(InSandbox(Request(Right::kReadFiles), [] {
          const auto status = ReadFile("/proc/self/status");
          if (!status) return 1;
          if (status->find("CapEff:\t0000000000000004") == std::string::npos) return 2;
          if (status->find("CapPrm:\t0000000000000004") == std::string::npos) return 3;
          if (status->find("CapBnd:\t0000000000000000") == std::string::npos) return 4;
          if (status->find("NoNewPrivs:\t1") == std::string::npos) return 5;
          if (status->find("Uid:\t65533\t65533\t65533\t65533") == std::string::npos) return 6;
          if (status->find("Gid:\t65533\t65533\t65533\t65533") == std::string::npos) return 7;
          if (status->find("Groups:\t \n") == std::string::npos) return 8;
          return 0;
        }).status == 0);
}

TEST_CASE("sandbox: what was open before stays usable", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const FileDescriptor read_end(ends[0]);
  const FileDescriptor write_end(ends[1]);
  CHECK(InSandbox(Request({}), [&] { return Outcome(::write(write_end.get(), "x", 1)); }).status ==
        kSucceeded);
  char got = 0;
  CHECK(::read(read_end.get(), &got, 1) == 1);
  CHECK(got == 'x');
}

TEST_CASE("sandbox: whoever wanted to die with its parent still does", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  int ends[2];
  REQUIRE(::pipe2(ends, 0) == 0);
  const FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  // parent (dies) -> child (sandboxed, holds the pipe open while it lives)
  CHECK(InChild([&] {
          int ready[2];
          if (::pipe(ready) != 0) return 1;
          const pid_t parent = ::getpid();
          const pid_t child = ::fork();
          if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent || !EnterSandbox(Request({}))) ::_exit(1);
            [[maybe_unused]] const ssize_t told = ::write(ready[1], "r", 1);
            for (;;) ::pause();
          }
          char byte = 0;
          return ::read(ready[0], &byte, 1) == 1 ? 0 : 1;
        }).status == 0);
  write_end.Reset();
  char byte = 0;
  CHECK(::read(read_end.get(), &byte, 1) == 0);  // would block for ever if it lived
}

TEST_CASE("sandbox: reading other processes needs its right", "[os]") {
  if (!kHere) MIG_SKIP(kLacking);
  if (!IsRoot()) MIG_SKIP("not root");
  static char here[8] = "readme";
  const pid_t us = ::getpid();
  const auto attempt = [&] {
    char copy[8] = {};
    const iovec local{copy, sizeof copy};
    const iovec remote{here, sizeof here};
    return Outcome(::process_vm_readv(us, &local, 1, &remote, 1, 0));
  };
  CheckDenied(Request(Right::kReadFiles), attempt);
  CHECK(InSandbox(Request(Right::kReadProcesses), attempt).status == kSucceeded);
  CheckDenied(Request(Right::kReadFiles),
              [&] { return OpenOnly("/proc/" + std::to_string(us) + "/mem"); });
  CHECK(InSandbox(Request(Right::kReadFiles | Right::kReadProcesses, {"/etc"}), [] {
          return 0;
        }).status == kNotEntered);
}
