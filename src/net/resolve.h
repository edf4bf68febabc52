// Names to addresses with a deadline. getaddrinfo cannot be interrupted, and Asio's resolver makes
// everybody wait for it, its destructor included; here it is left behind in a thread of its own.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "util/expected.h"

namespace mig {

// At least one endpoint, IPv4 and IPv6 as the system orders them. Addresses and localhost ask
// nobody. `wait` runs on the caller's executor and is what one cancels to end the waiting early.
// Errors: kUnavailable, kTimeout at `deadline` or when cancelled.
boost::asio::awaitable<Expected<std::vector<boost::asio::ip::tcp::endpoint>>> Resolve(
    std::string host, std::uint16_t port, std::chrono::steady_clock::time_point deadline,
    std::shared_ptr<boost::asio::steady_timer> wait);

}  // namespace mig
