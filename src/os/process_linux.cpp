#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "os/process.h"
#include "util/text.h"

namespace mig::os {
namespace {

constexpr std::size_t kMaxProcBytes = 1 << 20;
constexpr std::size_t kStartField = 22;        // proc(5), counted from 1
constexpr std::chrono::seconds kKillGrace{5};  // for the kernel, after SIGKILL

// Files of /proc have no size that could be believed.
Expected<Bytes> ReadProc(const std::string& file) {
  const FileDescriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in.valid()) return ErrnoError(errno, "open " + file);
  Bytes content(kMaxProcBytes, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(in.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, "read " + file);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  content.resize(size);
  return content;
}

Expected<std::uint64_t> Number(std::string_view text, std::string_view what) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && stop == text.data() + text.size()) return number;
  return Error(Errc::kMalformed, std::string(what) + ": `" + std::string(text) + "` is no number");
}

}  // namespace

Expected<std::uint64_t> StartTicks(std::string_view stat) {
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return Error(Errc::kMalformed, "stat: has no name");
  // Behind the name: a space, then field 3.
  const auto fields = Split(Trim(stat.substr(name_end + 1)), ' ');
  if (fields.size() <= kStartField - 3) return Error(Errc::kMalformed, "stat: too few fields");
  return Number(fields[kStartField - 3], "stat");
}

Expected<UtcTime> MachineStart(std::string_view stat) {
  for (const std::string_view line : Split(stat, '\n')) {
    if (!line.starts_with("btime ")) continue;
    auto seconds = Number(Trim(line.substr(6)), "btime");
    if (!seconds) return std::move(seconds).error();
    return UtcTime(std::chrono::seconds(*seconds));
  }
  return Error(Errc::kMalformed, "/proc/stat: has no btime");
}

Expected<Process> Process::Open(int pid) {
  FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (handle.valid()) return Process(pid, std::move(handle));
  if (errno == ESRCH || errno == EINVAL) {
    return Error(Errc::kNotFound, "there is no process " + std::to_string(pid));
  }
  if (errno == ENOSYS) return Error(Errc::kUnsupported, "this kernel has no handles of processes");
  return ErrnoError(errno, "process " + std::to_string(pid));
}

Expected<Bytes> Process::Read(std::string_view file) const {
  auto content = ReadProc("/proc/" + std::to_string(pid_) + "/" + std::string(file));
  // Whatever stands there now is another process's when ours has ended.
  if (content && Ended()) {
    return Error(Errc::kNotFound, "process " + std::to_string(pid_) + " has ended");
  }
  return content;
}

Expected<std::string> Process::Executable() const {
  const std::string link = "/proc/" + std::to_string(pid_) + "/exe";
  std::string target(4096, '\0');
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  if (size < 0) return ErrnoError(errno, "read " + link);
  target.resize(static_cast<std::size_t>(size));
  if (Ended()) return Error(Errc::kNotFound, "process " + std::to_string(pid_) + " has ended");
  return target;
}

Expected<std::vector<std::string>> Process::Words() const {
  auto text = Read("cmdline");
  if (!text) return std::move(text).error();
  if (!text->empty() && text->back() == '\0') text->pop_back();
  std::vector<std::string> words;
  for (const std::string_view word : Split(*text, '\0')) words.emplace_back(word);
  return words;
}

Expected<UtcTime> Process::Started() const {
  auto own = Read("stat");
  if (!own) return std::move(own).error();
  auto ticks = StartTicks(*own);
  if (!ticks) return std::move(ticks).error();
  auto machine = ReadProc("/proc/stat");
  if (!machine) return std::move(machine).error();
  auto start = MachineStart(*machine);
  if (!start) return start;
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return *start + std::chrono::milliseconds(*ticks * 1000 / per_second);
}

bool Process::Ended() const {
  pollfd waiting{handle_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}

bool Process::WaitForEnd(std::chrono::milliseconds patience) const {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{handle_.get(), POLLIN, 0};
    const int ready =
        ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready == 1) return true;
    if (left.count() <= 0) return false;
  }
}

Expected<bool> Process::End(std::chrono::milliseconds patience) {
  const auto send = [&](int signal) -> Expected<void> {
    if (::syscall(SYS_pidfd_send_signal, handle_.get(), signal, nullptr, 0) == 0) return {};
    if (errno == ESRCH) return {};  // it has ended by itself
    return ErrnoError(errno, "end process " + std::to_string(pid_));
  };
  if (auto sent = send(SIGTERM); !sent) return std::move(sent).error();
  if (WaitForEnd(patience)) return false;
  if (auto sent = send(SIGKILL); !sent) return std::move(sent).error();
  if (WaitForEnd(kKillGrace)) return true;
  return Error(Errc::kTimeout, "process " + std::to_string(pid_) + " does not end");
}

}  // namespace mig::os
