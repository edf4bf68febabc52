#include "os/interrupts.h"

#include <unistd.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <thread>

using namespace mig;
using std::chrono::milliseconds;

namespace {
std::atomic<int> g_woken = 0;
void Wake(void* context) { g_woken += *static_cast<int*>(context); }
}  // namespace

TEST_CASE("interrupts: a signal is counted and told, and the process lives", "[os]") {
  int step = 5;
  g_woken = 0;
  os::Interrupts interrupts(Wake, &step);
  CHECK(interrupts.count() == 0);
  raise(SIGINT);
  CHECK(interrupts.count() == 1);
  CHECK(g_woken == 5);
  CHECK_FALSE(interrupts.terminated());
  raise(SIGTERM);
  CHECK(interrupts.count() == 2);
  CHECK(interrupts.terminated());
}

TEST_CASE("interrupts: waiting for one more ends with it, or in time", "[os]") {
  int step = 1;
  os::Interrupts interrupts(Wake, &step);
  raise(SIGINT);
  CHECK(interrupts.WaitForMore(0, milliseconds(0)));
  CHECK_FALSE(interrupts.WaitForMore(1, milliseconds(20)));  // the first is not the second
  std::thread other([] { kill(getpid(), SIGINT); });
  CHECK(interrupts.WaitForMore(1, milliseconds(10'000)));
  other.join();
}

TEST_CASE("interrupts: afterwards signals do what they did before", "[os]") {
  struct sigaction before {
  }, after{};
  sigaction(SIGINT, nullptr, &before);
  {
    int step = 1;
    os::Interrupts interrupts(Wake, &step);
  }
  sigaction(SIGINT, nullptr, &after);
  CHECK(before.sa_handler == after.sa_handler);
}
