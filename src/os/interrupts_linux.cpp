#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <csignal>

#include "os/interrupts.h"

namespace mig::os {
namespace {

constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};

// What the handler touches: lock-free atomics and a descriptor.
std::atomic<void (*)(void*)> g_wake = nullptr;
std::atomic<void*> g_context = nullptr;
std::atomic<int> g_count = 0;
std::atomic<bool> g_terminated = false;
std::atomic<int> g_pipe_write = -1;
static_assert(std::atomic<void*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

int g_pipe_read = -1;                        // only outside the handler
std::array<struct sigaction, 3> g_before{};  // only outside the handler

void Handle(int signal) {
  const int saved = errno;
  if (signal != SIGINT) g_terminated = true;
  g_count.fetch_add(1);
  const char byte = 0;
  // A full pipe wakes the reader just as well.
  [[maybe_unused]] const ssize_t written = write(g_pipe_write, &byte, 1);
  if (void (*wake)(void*) = g_wake.load()) wake(g_context.load());
  errno = saved;
}

}  // namespace

Interrupts::Interrupts(void (*wake)(void* context), void* context) {
  assert(g_wake == nullptr && "one at a time");
  std::array<int, 2> ends{-1, -1};
  // Without the pipe WaitForMore only waits; the count still counts.
  if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) ends = {-1, -1};
  g_pipe_read = ends[0];
  g_pipe_write = ends[1];
  g_count = 0;
  g_terminated = false;
  g_context = context;
  g_wake = wake;
  struct sigaction action {};
  action.sa_handler = Handle;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a read that waits for a person or a peer should return.
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &action, &g_before[i]);
    // What was ignored stays so: nohup(1), and background jobs of simple shells.
    if (g_before[i].sa_handler == SIG_IGN) sigaction(kSignals[i], &g_before[i], nullptr);
  }
}

Interrupts::~Interrupts() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    sigaction(kSignals[i], &g_before[i], nullptr);
  }
  g_wake = nullptr;
  if (g_pipe_read >= 0) close(g_pipe_read);
  if (const int fd = g_pipe_write.exchange(-1); fd >= 0) close(fd);
  g_pipe_read = -1;
}

int Interrupts::count() const { return g_count; }
bool Interrupts::terminated() const { return g_terminated; }

bool Interrupts::WaitForMore(int seen, std::chrono::milliseconds limit) const {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    if (g_count > seen) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd readable{g_pipe_read, POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(left.count()) + 1) > 0) {
      std::array<char, 64> bytes;
      // Drains what earlier ones wrote; whether one more came is what the count says.
      [[maybe_unused]] const ssize_t drained = read(g_pipe_read, bytes.data(), bytes.size());
    }
  }
}

}  // namespace mig::os
