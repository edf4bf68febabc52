#include <malloc.h>
#include <pthread.h>

#include <exception>
#include <vector>

#include "os/thread_group.h"

namespace mig::os {
namespace {

constexpr std::size_t kStackBytes = std::size_t{1} << 20;
// Each heap of its own takes 64 MiB of address space; threads that allocate little share well.
constexpr int kMostHeaps = 2;

struct Start {
  const std::function<void(std::size_t)>* work;
  std::size_t index;
  std::exception_ptr thrown;

  void Run() noexcept {
    try {
      (*work)(index);
    } catch (...) {
      thrown = std::current_exception();
    }
  }
};

void* RunOne(void* start) {
  static_cast<Start*>(start)->Run();
  return nullptr;
}

}  // namespace

void RunThreads(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::vector<Start> starts;
  for (std::size_t i = 0; i < count; ++i) starts.push_back({&work, i, nullptr});
  if (count > 1) ::mallopt(M_ARENA_MAX, kMostHeaps);
  std::vector<pthread_t> threads;
  threads.reserve(count);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  for (std::size_t i = 1; i < count; ++i) {
    pthread_t thread{};
    if (::pthread_create(&thread, &attributes, RunOne, &starts[i]) != 0) break;
    threads.push_back(thread);
  }
  ::pthread_attr_destroy(&attributes);
  if (count > 0) starts[0].Run();
  for (const pthread_t thread : threads) ::pthread_join(thread, nullptr);
  for (const Start& start : starts) {
    if (start.thrown) std::rethrow_exception(start.thrown);
  }
}

}  // namespace mig::os
