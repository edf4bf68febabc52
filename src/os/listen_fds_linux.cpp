#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "os/listen_fds.h"

namespace mig::os {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr int kMost = 16;

// A variable that is a whole number; -1 for anything else.
int NumberIn(const char* text) {
  int number = -1;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc() && stop == end ? number : -1;
}

}  // namespace

Expected<std::vector<FileDescriptor>> TakeListenFds() {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr || NumberIn(pid) != getpid()) {
    return std::vector<FileDescriptor>();
  }
  const int number = NumberIn(count);
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (number < 1 || number > kMost) {
    return Error(Errc::kInvalid, "LISTEN_FDS is not a number from 1 to " + std::to_string(kMost));
  }
  std::vector<FileDescriptor> sockets;
  for (int fd = kFirst; fd < kFirst + number; ++fd) {
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
      return Error(Errc::kInvalid,
                   "descriptor " + std::to_string(fd) + " from LISTEN_FDS is not listening");
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return ErrnoError(errno, "inherited socket");
    sockets.emplace_back(fd);
  }
  return sockets;
}

Expected<FileDescriptor> ListenOnLoopback(std::uint16_t port) {
  const std::string what = "listen on 127.0.0.1:" + std::to_string(port);
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, what);
  const int on = 1;
  // A port whose last user went away a moment ago is free.
  if (setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    return ErrnoError(errno, what);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd.get(), SOMAXCONN) != 0) {
    if (errno == EADDRINUSE) return Error(Errc::kExists, what + ": the port is taken");
    return ErrnoError(errno, what);
  }
  return fd;
}

Expected<std::uint16_t> PortOf(const FileDescriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoError(errno, "port of the listening socket");
  }
  if (address.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return Error(Errc::kIo, "the inherited socket is not TCP");
}

}  // namespace mig::os
