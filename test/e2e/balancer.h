// One address with several relays behind it, as a TCP balancer makes it: passes bytes on, without
// looking at them, to whichever port is chosen at the moment.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace mig::e2e {

class Balancer {
 public:
  explicit Balancer(std::uint16_t target) : target_(target) {
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listening_, 16) == 0);
    REQUIRE(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }
  ~Balancer() {
    thread_.request_stop();
    thread_.join();
    ::close(listening_);
  }
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  std::uint16_t port() const { return port_; }

  // New connections go there, and those that are open end.
  void SwitchTo(std::uint16_t target) {
    target_ = target;
    cut_ = true;
  }

 private:
  static sockaddr_in Loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void Run(const std::stop_token& stop) {
    std::vector<pollfd> sockets = {{listening_, POLLIN, 0}};  // then pairs
    const auto end = [&sockets](std::size_t pair) {
      ::close(sockets[pair].fd);
      ::close(sockets[pair + 1].fd);
      sockets.erase(sockets.begin() + static_cast<std::ptrdiff_t>(pair),
                    sockets.begin() + static_cast<std::ptrdiff_t>(pair) + 2);
    };
    while (!stop.stop_requested()) {
      if (::poll(sockets.data(), sockets.size(), 20) < 0) break;
      if (cut_.exchange(false)) {
        while (sockets.size() > 1) end(1);
        continue;
      }
      for (std::size_t pair = 1; pair < sockets.size();) {
        if (Pass(sockets[pair], sockets[pair + 1]) && Pass(sockets[pair + 1], sockets[pair])) {
          pair += 2;
        } else {
          end(pair);
        }
      }
      const int client = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = Loopback(target_);
      if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(client);
        ::close(server);
        continue;
      }
      sockets.push_back({client, POLLIN, 0});
      sockets.push_back({server, POLLIN, 0});
    }
    while (sockets.size() > 1) end(1);
  }

  // False: one of them is gone.
  static bool Pass(pollfd& from, const pollfd& to) {
    if (from.revents == 0) return true;
    from.revents = 0;
    char buffer[16384];
    const ssize_t got = ::recv(from.fd, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    for (ssize_t sent = 0; sent < got;) {
      const ssize_t more =
          ::send(to.fd, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += more;
    }
    return true;
  }

  int listening_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<std::uint16_t> target_;
  std::atomic<bool> cut_ = false;
  std::jthread thread_;
};

}  // namespace mig::e2e
