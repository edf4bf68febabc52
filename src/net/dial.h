// A TCP connection to a host, straight or through an HTTP proxy, as a coroutine with a deadline.
// Only for sources: it shows Boost.Asio and Beast.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "net/host.h"
#include "net/proxy.h"
#include "util/expected.h"

namespace mig {

class Dialer {
 public:
  explicit Dialer(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  // One at a time. Tries each address that `host` has; `stream` and the dialer must live until the
  // end. Errors: kUnavailable, kTimeout; kDenied when the proxy refuses. Those of the way to the
  // proxy, and its own, name it and say what to do.
  boost::asio::awaitable<Expected<void>> Dial(boost::beast::tcp_stream& stream, HostPort to,
                                              std::optional<ProxyAddress> proxy,
                                              std::chrono::steady_clock::time_point deadline);
  // Ends the wait for a name. Who closes the stream ends every other.
  void Cancel();

 private:
  boost::asio::awaitable<Expected<void>> ConnectTcp(boost::beast::tcp_stream& stream, HostPort to,
                                                    std::chrono::steady_clock::time_point deadline);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<boost::asio::steady_timer> resolving_;
  bool cancelled_ = false;
};

}  // namespace mig
