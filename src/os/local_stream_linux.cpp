#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/local_stream.h"

namespace mig::os {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 16;

Error TooSlow() { return Error(Errc::kTimeout, "no answer within the time allowed"); }
Error Closed() { return Error(Errc::kUnavailable, "the other end closed the connection"); }

// A socket's path must have less than 108 bytes (unix(7)): longer ones go through a descriptor of
// their folder, which must then stay open until the call.
struct Address {
  FileDescriptor folder;
  sockaddr_un address{};
};

Expected<Address> AddressOf(const fs::path& socket) {
  Address result;
  result.address.sun_family = AF_UNIX;
  std::string path = socket.string();
  if (path.size() >= sizeof(result.address.sun_path)) {
    auto folder = OpenFolder(socket.parent_path());
    if (!folder) return std::move(folder).error();
    result.folder = std::move(*folder);
    path =
        "/proc/self/fd/" + std::to_string(result.folder.get()) + "/" + socket.filename().string();
  }
  if (path.empty() || path.size() >= sizeof(result.address.sun_path)) {
    return Error(Errc::kInvalid, socket.string() + ": is no path for a socket");
  }
  std::memcpy(result.address.sun_path, path.data(), path.size());
  return result;
}

const sockaddr* Generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.address);
}

FileDescriptor NewSocket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// True when `events` (or an end, or an error) is there.
bool WaitFor(int fd, short events, LocalStream::Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{fd, events, 0};
    const int ready =
        poll(&entry, 1, static_cast<int>(std::clamp<decltype(left)>(left, 0, 60'000)));
    if (ready > 0) return true;
    if (left <= 0) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace

unsigned OwnUser() { return geteuid(); }

Expected<LocalStream> LocalStream::Connect(const fs::path& socket, Deadline deadline) {
  auto address = AddressOf(socket);
  if (!address) return std::move(address).error();
  FileDescriptor made = NewSocket();
  if (!made.valid()) return ErrnoError(errno, "socket");
  for (;;) {
    if (connect(made.get(), Generic(*address), sizeof(address->address)) == 0) break;
    if (errno == EINTR) continue;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) {
      return Error(Errc::kUnavailable, socket.string() + ": nobody listens there");
    }
    // A full backlog (unix(7)): come back when it may have emptied.
    if (errno != EAGAIN) return ErrnoError(errno, "connect to " + socket.string());
    if (Clock::now() >= deadline) return TooSlow().During(socket.string());
    poll(nullptr, 0, 20);
  }
  return LocalStream(std::move(made));
}

Expected<void> LocalStream::Write(BytesView bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE || errno == ECONNRESET) return Closed();
    if (errno != EAGAIN) return ErrnoError(errno, "send");
    if (!WaitFor(socket_.get(), POLLOUT, deadline)) return TooSlow();
  }
  return {};
}

Expected<Bytes> LocalStream::Read(std::size_t size, Deadline deadline) {
  Bytes bytes(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = recv(socket_.get(), bytes.data() + have, size - have, 0);
    if (got > 0) {
      have += static_cast<std::size_t>(got);
      continue;
    }
    if (got == 0 || errno == ECONNRESET) return Closed();
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return ErrnoError(errno, "receive");
    if (!WaitFor(socket_.get(), POLLIN, deadline)) return TooSlow();
  }
  return bytes;
}

Expected<unsigned> LocalStream::PeerUser() const {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return ErrnoError(errno, "ask who is at the other end");
  }
  return peer.uid;
}

Expected<LocalListener> LocalListener::Listen(const fs::path& socket) {
  auto folder = OpenFolder(socket.parent_path());
  if (!folder) return std::move(folder).error();
  const std::string name = socket.filename().string();
  if (unlinkat(folder->get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return ErrnoError(errno, "remove " + socket.string());
  }
  auto address = AddressOf(socket);
  if (!address) return std::move(address).error();
  FileDescriptor made = NewSocket();
  if (!made.valid()) return ErrnoError(errno, "socket");
  // The mode is there from the first moment, whatever the umask was.
  const mode_t before = umask(0177);
  const int bound = bind(made.get(), Generic(*address), sizeof(address->address));
  const int error_number = errno;
  umask(before);
  if (bound != 0) return ErrnoError(error_number, "make the socket " + socket.string());
  if (listen(made.get(), kBacklog) != 0) return ErrnoError(errno, "listen at " + socket.string());
  return LocalListener(std::move(made), std::move(*folder), name);
}

LocalListener::~LocalListener() {
  if (socket_.valid()) unlinkat(folder_.get(), name_.c_str(), 0);
}

Expected<LocalStream> LocalListener::Accept(LocalStream::Deadline deadline) {
  for (;;) {
    FileDescriptor peer(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (peer.valid()) return LocalStream(std::move(peer));
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno != EAGAIN) return ErrnoError(errno, "accept");
    if (!WaitFor(socket_.get(), POLLIN, deadline)) return TooSlow();
  }
}

}  // namespace mig::os
