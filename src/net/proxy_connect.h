// What is said to an HTTP proxy so that it lets a connection through (CONNECT), and what its
// answers mean for whoever has to do something about them. Only for sources: it shows Boost.Asio
// and Beast.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>

#include "net/host.h"
#include "net/proxy.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

// The request for `to`, with user and password if there are any.
Bytes ProxyRequest(const ProxyAddress& proxy, const HostPort& to);

// What the head of the proxy's answer, up to and with its empty line, means. Errors: kDenied,
// kUnavailable, kMalformed; they name the proxy and say what to do.
Expected<void> JudgeProxyAnswer(BytesView head, const ProxyAddress& proxy, const HostPort& to);

// On a stream that is connected to the proxy: afterwards it is one to `to`. Errors: as above, and
// kTimeout. `stream` must live until the end.
boost::asio::awaitable<Expected<void>> ConnectThrough(
    boost::beast::tcp_stream& stream, ProxyAddress proxy, HostPort to,
    std::chrono::steady_clock::time_point deadline);

}  // namespace mig
