// The HTTP request that turns a connection into a WebSocket (RFC 6455 section 4.2), judged; pure.
// Only for net/websocket_stream.cpp and tests: it shows Boost.Beast.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <span>
#include <string>

#include "util/bytes.h"

namespace mig {

// Where MQTT is to be had, and what it is called among subprotocols (MQTT 5.0 section 6).
inline constexpr std::string_view kWebSocketPath = "/mqtt";
inline constexpr std::string_view kWebSocketProtocol = "mqtt";
// A longer head is refused with 431.
inline constexpr std::size_t kMaxUpgradeBytes = 8 * 1024;

struct Upgrade {
  boost::beast::http::request<boost::beast::http::empty_body> request;
  std::string problem;  // why it is refused, for logs; empty: it is not
  Bytes refusal;        // then the whole answer, after which the connection ends
};

// `head` ends with the empty line. `origins`: whose pages may connect from a browser. Always may:
// requests without Origin, which come from no browser, and those whose origin is the Host they ask,
// as Paho sends them: we serve no pages. (`tls`: the connection's; without it only loopback may do
// so, whose name nobody else can give to a page of his.)
Upgrade JudgeUpgrade(BytesView head, std::span<const std::string> origins, bool tls);

// An answer that ends the connection, in plain words.
Bytes HttpRefusal(int status, std::string_view reason);

}  // namespace mig
