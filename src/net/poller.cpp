#include "net/poller.h"

#include <cassert>
#include <cerrno>

namespace mig {
namespace {

std::uint32_t EventsOf(Poller::Interest interest) {
  return (interest.read ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
         (interest.write ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
}

}  // namespace

Expected<os::FileDescriptor> Poller::Open() {
  os::FileDescriptor descriptor(::epoll_create1(EPOLL_CLOEXEC));
  if (!descriptor.valid()) return os::ErrnoError(errno, "epoll");
  epoll_ = descriptor.get();
  return descriptor;
}

void Poller::Set(int socket, std::uint64_t id, Interest before, Interest now) {
  const std::uint32_t old_events = EventsOf(before);
  const std::uint32_t new_events = EventsOf(now);
  if (old_events == new_events) return;
  epoll_event event{};
  event.events = new_events;
  event.data.u64 = id;
  const int operation = old_events == 0   ? EPOLL_CTL_ADD
                        : new_events == 0 ? EPOLL_CTL_DEL  // a watched end would be told for ever
                                          : EPOLL_CTL_MOD;
  [[maybe_unused]] const int result = ::epoll_ctl(epoll_, operation, socket, &event);
  assert(result == 0);
}

std::span<const Poller::Ready> Poller::Take() {
  const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 0);
  if (count <= 0) return {};
  const auto size = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint32_t events = events_[i].events;
    const bool ended = (events & (EPOLLERR | EPOLLHUP)) != 0;
    ready_[i] = {events_[i].data.u64, ended || (events & EPOLLIN) != 0,
                 ended || (events & EPOLLOUT) != 0};
  }
  return std::span(ready_).first(size);
}

}  // namespace mig
