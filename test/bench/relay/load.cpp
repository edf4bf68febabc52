#include "test/bench/relay/load.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

namespace mig::bench {

using Clock = std::chrono::steady_clock;

Load::Load(const BrokerProcess& broker, const Certificates* certificates)
    : port_(broker.port()), certificates_(certificates), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Load::~Load() {
  connections_.clear();
  close(epoll_);
}

Connection& Load::Dial(const ConnectionOptions& options) {
  connections_.push_back(std::make_unique<Connection>(*this, options, port_, certificates_));
  return *connections_.back();
}

void Load::Drop(Connection& connection) {
  std::erase(dirty_, &connection);
  std::erase_if(connections_, [&](const auto& each) { return each.get() == &connection; });
}

void Load::DropAll() {
  dirty_.clear();
  connections_.clear();
}

Expected<void> Load::Until(std::string_view what, const std::function<bool()>& done,
                           const std::function<void()>& turn) {
  const auto deadline = Clock::now() + patience;
  const std::size_t closed_before = closed;
  while (!done()) {
    if (closed > closed_before && !may_close) {
      return Error(Errc::kUnavailable, std::string(what) + ": the broker closed a connection");
    }
    if (Clock::now() > deadline) return Error(Errc::kTimeout, std::string(what) + ": takes long");
    if (turn) turn();
    Turn();
  }
  FlushDirty();
  return {};
}

void Load::Turn() {
  FlushDirty();
  std::array<epoll_event, 256> events;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest_wait);
  const timespec wait{seconds.count(), (longest_wait - seconds).count()};
  const int count = epoll_pwait2(epoll_, events.data(), events.size(), &wait, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Connection*>(event.data.ptr)->OnReady(event.events);
  }
  FlushDirty();
}

Expected<void> Load::DialMany(std::size_t first, std::size_t count, std::size_t at_once,
                              ConnectionOptions like) {
  const std::size_t before = connected;
  std::size_t dialled = 0;
  return Until(
      "connect " + std::to_string(count) + " clients", [&] { return connected - before == count; },
      [&] {
        while (dialled < count && dialled < connected - before + at_once) {
          like.number = first + dialled++;
          Dial(like);
        }
      });
}

void Load::Watch(Connection& connection, int fd, std::uint32_t events, bool is_new) {
  epoll_event event{events, {}};
  event.data.ptr = &connection;
  epoll_ctl(epoll_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}

void Load::MarkDirty(Connection& connection) {
  if (connection.dirty_) return;
  connection.dirty_ = true;
  dirty_.push_back(&connection);
}

void Load::FlushDirty() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    dirty_[i]->dirty_ = false;
    dirty_[i]->Flush();
  }
  dirty_.clear();
}

void Load::OnConnected(Connection&) { ++connected; }

void Load::OnDelivered(Connection& connection, BytesView payload) {
  ++delivered;
  if (on_delivered) on_delivered(connection, payload);
}

void Load::OnClosed(Connection& connection) {
  ++closed;
  if (on_closed) on_closed(connection);
}

}  // namespace mig::bench
