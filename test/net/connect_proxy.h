// An HTTP proxy for one test, which lets connections through (CONNECT), or does one of the things
// that proxies do instead, and keeps what it saw.
#pragma once

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "util/encoding.h"

namespace mig {

class ConnectProxy {
 public:
  using Tcp = boost::asio::ip::tcp;

  struct Manners {
    std::string user;  // with a password: whom it lets through
    std::string password;
    std::string says;     // instead of letting anybody through; then it closes
    bool hangs = false;   // takes the request and says nothing
    bool closes = false;  // takes the request and closes
    // Closes in the middle of the first connection, when so many bytes have come back.
    std::size_t cuts_after = 0;
    // The port that it connects to for a port that it is asked for; the others are themselves.
    std::map<std::uint16_t, std::uint16_t> routes;
  };

  explicit ConnectProxy(Manners manners)
      : manners_(std::move(manners)),
        acceptor_(io_, Tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)) {
    boost::asio::co_spawn(io_, Accept(), boost::asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ConnectProxy() : ConnectProxy(Manners{}) {}
  ~ConnectProxy() {
    io_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string Url(const std::string& who = "") const {
    return "http://" + (who.empty() ? "" : who + "@") + "127.0.0.1:" + std::to_string(port());
  }
  // The heads of all requests so far.
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  // Bytes that went through, both ways.
  std::size_t carried() const {
    const std::lock_guard lock(mutex_);
    return carried_;
  }

 private:
  static constexpr auto kAwait = boost::asio::as_tuple(boost::asio::use_awaitable);
  using Socket = std::shared_ptr<Tcp::socket>;

  boost::asio::awaitable<void> Accept() {
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kAwait);
      if (error) co_return;
      boost::asio::co_spawn(io_, Serve(std::make_shared<Tcp::socket>(std::move(socket))),
                            boost::asio::detached);
    }
  }

  boost::asio::awaitable<void> Serve(Socket client) {
    std::string head;
    if (auto [error, size] = co_await boost::asio::async_read_until(
            *client, boost::asio::dynamic_buffer(head), "\r\n\r\n", kAwait);
        error) {
      co_return;
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(head);
    }
    if (manners_.hangs) {
      char byte;  // until the client goes
      co_await client->async_read_some(boost::asio::buffer(&byte, 1), kAwait);
      co_return;
    }
    if (manners_.closes) co_return;
    std::string answer = manners_.says;
    if (answer.empty() && !manners_.user.empty() &&
        head.find("\r\nProxy-Authorization: Basic " +
                  EncodeBase64(manners_.user + ":" + manners_.password) + "\r\n") ==
            std::string::npos) {
      answer =
          "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
          "Content-Length: 0\r\n\r\n";
    }
    const bool through = answer.empty();
    Socket server = std::make_shared<Tcp::socket>(io_);
    if (through) {
      const std::string target = head.substr(8, head.find(' ', 8) - 8);
      auto port = static_cast<std::uint16_t>(std::stoi(target.substr(target.rfind(':') + 1)));
      if (const auto route = manners_.routes.find(port); route != manners_.routes.end()) {
        port = route->second;
      }
      const Tcp::endpoint endpoint(boost::asio::ip::address_v4::loopback(), port);
      const auto [error] = co_await server->async_connect(endpoint, kAwait);
      answer = error ? "HTTP/1.1 502 Bad Gateway\r\n\r\n"
                     : "HTTP/1.1 200 Connection established\r\n\r\n";
    }
    co_await boost::asio::async_write(*client, boost::asio::buffer(answer), kAwait);
    if (!server->is_open() || !through) co_return;
    boost::asio::co_spawn(io_, Carry(server, client, true), boost::asio::detached);
    co_await Carry(client, server, false);
  }

  boost::asio::awaitable<void> Carry(Socket from, Socket into, bool back) {
    std::array<char, 16384> chunk;
    std::size_t came_back = 0;
    boost::system::error_code not_vital;
    for (;;) {
      auto [error, size] = co_await from->async_read_some(boost::asio::buffer(chunk), kAwait);
      if (error) break;
      {
        const std::lock_guard lock(mutex_);
        carried_ += size;
      }
      if (back) came_back += size;
      if (back && manners_.cuts_after > 0 && came_back > manners_.cuts_after) {
        manners_.cuts_after = 0;
        from->close(not_vital);
        into->close(not_vital);
        co_return;
      }
      if (auto [failed, sent] = co_await boost::asio::async_write(
              *into, boost::asio::buffer(chunk.data(), size), kAwait);
          failed) {
        break;
      }
    }
    into->shutdown(Tcp::socket::shutdown_send, not_vital);
  }

  Manners manners_;  // only on the proxy's thread
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // under mutex_
  std::size_t carried_ = 0;            // under mutex_
  boost::asio::io_context io_{1};
  Tcp::acceptor acceptor_;
  std::thread thread_;
};

}  // namespace mig
