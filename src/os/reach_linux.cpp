#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "os/reach.h"

namespace mig::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Waits for `events`; false when the time is over. Signals (the CPU share's) do not shorten it.
bool WaitFor(int fd, short events, steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd wait{fd, events, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<long long>(left, INT_MAX)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

ReachOutcome Outcome(Reached reached, steady_clock::time_point start, int error = 0) {
  ReachOutcome outcome;
  outcome.reached = reached;
  outcome.latency = steady_clock::now() - start;
  if (error != 0) outcome.reason = ErrnoError(error, "").message().substr(2);
  return outcome;
}

// Errors that are an answer of the network, not a fault on this side.
bool IsRefusal(int error) {
  return error == ECONNREFUSED || error == ECONNRESET || error == EHOSTUNREACH ||
         error == ENETUNREACH || error == EHOSTDOWN;
}

ReachOutcome FromError(int error, steady_clock::time_point start) {
  if (error == ETIMEDOUT) return Outcome(Reached::kSilence, start);
  return Outcome(IsRefusal(error) ? Reached::kRefused : Reached::kFailed, start, error);
}

int Connect(const FileDescriptor& fd, const SocketAddress& address) {
  const auto* raw = reinterpret_cast<const sockaddr*>(address.raw.data());
  return ::connect(fd.get(), raw, static_cast<socklen_t>(address.raw.size())) == 0 ? 0 : errno;
}

FileDescriptor OpenSocket(const SocketAddress& address, int type) {
  return FileDescriptor(
      ::socket(address.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

}  // namespace

ReachOutcome ReachByTcp(const SocketAddress& address, milliseconds time_limit) {
  const auto start = steady_clock::now();
  const FileDescriptor fd = OpenSocket(address, SOCK_STREAM);
  if (!fd.valid()) return FromError(errno, start);
  int error = Connect(fd, address);
  if (error == EINPROGRESS) {
    if (!WaitFor(fd.get(), POLLOUT, start + time_limit)) return Outcome(Reached::kSilence, start);
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  }
  return error == 0 ? Outcome(Reached::kYes, start) : FromError(error, start);
}

ReachOutcome ReachByUdp(const SocketAddress& address, milliseconds time_limit) {
  const auto start = steady_clock::now();
  const FileDescriptor fd = OpenSocket(address, SOCK_DGRAM);
  if (!fd.valid()) return FromError(errno, start);
  // Connected, so that the kernel tells us of "port unreachable", and hears nobody else.
  if (const int error = Connect(fd, address); error != 0) return FromError(error, start);
  if (::send(fd.get(), "\n", 1, 0) < 0) return FromError(errno, start);
  for (;;) {
    if (!WaitFor(fd.get(), POLLIN, start + time_limit)) return Outcome(Reached::kSilence, start);
    std::array<char, 2048> answer;
    if (::recv(fd.get(), answer.data(), answer.size(), 0) >= 0) {
      return Outcome(Reached::kYes, start);
    }
    if (errno != EAGAIN && errno != EINTR) return FromError(errno, start);
  }
}

Expected<IcmpSocket> IcmpSocket::Open(bool v6) {
  const int family = v6 ? AF_INET6 : AF_INET;
  const int protocol = v6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP);
  constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  IcmpSocket opened;
  opened.v6_ = v6;
  opened.raw_ = true;
  opened.fd_.Reset(::socket(family, SOCK_RAW | kFlags, protocol));
  if (!opened.fd_.valid()) {
    opened.raw_ = false;
    opened.fd_.Reset(::socket(family, SOCK_DGRAM | kFlags, protocol));
  }
  if (!opened.fd_.valid()) {
    return Error(Errc::kDenied,
                 "icmp: not allowed here; run as root, or widen net.ipv4.ping_group_range");
  }
  return opened;
}

Expected<void> IcmpSocket::Send(const SocketAddress& to, BytesView message) {
  const auto* raw = reinterpret_cast<const sockaddr*>(to.raw.data());
  if (::sendto(fd_.get(), message.data(), message.size(), 0, raw,
               static_cast<socklen_t>(to.raw.size())) < 0) {
    return ErrnoError(errno, "send");
  }
  return {};
}

Expected<std::optional<Bytes>> IcmpSocket::Receive(steady_clock::time_point deadline) {
  for (;;) {
    if (!WaitFor(fd_.get(), POLLIN, deadline)) return std::optional<Bytes>();
    std::array<char, 4096> packet;
    const ssize_t got = ::recv(fd_.get(), packet.data(), packet.size(), 0);
    if (got >= 0) return std::optional<Bytes>(Bytes(packet.data(), static_cast<std::size_t>(got)));
    if (errno != EAGAIN && errno != EINTR) return ErrnoError(errno, "receive");
  }
}

Bytes RandomBytes(std::size_t size) {
  Bytes bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::getrandom(bytes.data() + filled, size - filled, 0);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace mig::os
