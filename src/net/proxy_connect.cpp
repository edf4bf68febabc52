#include "net/proxy_connect.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "util/encoding.h"
#include "util/text.h"
#include "util/version.h"

namespace mig {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
// Proxies send pages with their refusals, but no such heads.
constexpr std::size_t kMaxHeadBytes = 16 * 1024;
constexpr std::size_t kMaxQuoted = 100;
constexpr BytesView kEndOfHead = "\r\n\r\n";

// What a proxy says, fit for a log.
std::string Quoted(beast::string_view text) {
  return EscapeForTerminal(std::string_view(text.data(), std::min(text.size(), kMaxQuoted)));
}

Error Told(Errc code, const ProxyAddress& proxy, const std::string& what) {
  return Error(code, "the proxy " + proxy.Text() + " " + what);
}

Error AskedForPassword(const http::response_header<>& answer, const ProxyAddress& proxy) {
  bool takes_basic = false;
  std::string schemes;
  const auto lines = answer.equal_range(http::field::proxy_authenticate);
  for (auto line = lines.first; line != lines.second; ++line) {
    const std::string scheme = Quoted(line->value().substr(0, line->value().find(' ')));
    takes_basic = takes_basic || LowerAscii(scheme) == "basic";
    schemes += (schemes.empty() ? "" : ", ") + scheme;
  }
  if (!schemes.empty() && !takes_basic) {
    return Told(Errc::kDenied, proxy,
                "wants its users to log in by " + schemes +
                    "; only Basic is supported here: let its administrator allow Basic, or this "
                    "machine without a user");
  }
  if (proxy.user.empty()) {
    return Told(Errc::kDenied, proxy,
                "wants a user and a password (407): write them into the configuration, as proxy: "
                "http://user:password@" +
                    FormatHostPort(proxy.host, proxy.port));
  }
  return Told(Errc::kDenied, proxy,
              "does not accept the password of user `" + EscapeForTerminal(proxy.user) +
                  "` (407): correct it under `proxy` in the configuration");
}

}  // namespace

Bytes ProxyRequest(const ProxyAddress& proxy, const HostPort& to) {
  const std::string authority = FormatHostPort(to.host, to.port);
  Bytes request = "CONNECT " + authority + " HTTP/1.1\r\nHost: " + authority +
                  "\r\nUser-Agent: mig/" + std::string(Version()) + "\r\n";
  if (!proxy.user.empty()) {
    request +=
        "Proxy-Authorization: Basic " + EncodeBase64(proxy.user + ":" + proxy.password) + "\r\n";
  }
  return request + "\r\n";
}

Expected<void> JudgeProxyAnswer(BytesView head, const ProxyAddress& proxy, const HostPort& to) {
  http::response_parser<http::empty_body> parser;
  parser.header_limit(kMaxHeadBytes);
  parser.skip(true);  // what a 2xx says of a body means nothing (RFC 9110 section 9.3.6)
  error_code error;
  parser.put(asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done()) {
    return Told(Errc::kMalformed, proxy,
                "does not answer as an HTTP proxy does: look whether host and port are right");
  }
  const auto& answer = parser.get();
  const unsigned status = answer.result_int();
  if (status / 100 == 2) return {};
  const std::string target = FormatHostPort(to.host, to.port);
  const std::string said = std::to_string(status) + " " + Quoted(answer.reason());
  switch (status) {
    case 407:
      return AskedForPassword(answer, proxy);
    case 400:
    case 403:
    case 405:
    case 451:
      return Told(Errc::kDenied, proxy,
                  "does not allow connections to " + target + " (" + said +
                      "): let its administrator allow CONNECT to this host and port");
    case 500:
    case 502:
    case 503:
    case 504:
      return Told(Errc::kUnavailable, proxy, "cannot reach " + target + " (" + said + ")");
    default:
      return Told(
          Errc::kUnavailable, proxy,
          "answers CONNECT to " + target + " with " + said + ": look whether it is an HTTP proxy");
  }
}

asio::awaitable<Expected<void>> ConnectThrough(beast::tcp_stream& stream, ProxyAddress proxy,
                                               HostPort to,
                                               std::chrono::steady_clock::time_point deadline) {
  const auto failure = [&](const error_code& error) {
    if (error == beast::error::timeout) {
      return Told(
          Errc::kTimeout, proxy,
          "does not answer in time whether it connects to " + FormatHostPort(to.host, to.port));
    }
    return Told(Errc::kUnavailable, proxy,
                "closed the connection before it answered (" + error.message() + ")");
  };
  const Bytes request = ProxyRequest(proxy, to);
  stream.expires_at(deadline);
  if (auto [error, size] = co_await asio::async_write(stream, asio::buffer(request), kAwait);
      error) {
    co_return failure(error);
  }
  Bytes answer;
  std::array<char, 4096> chunk;
  std::size_t end = Bytes::npos;
  while (end == Bytes::npos) {
    auto [error, size] = co_await stream.async_read_some(asio::buffer(chunk), kAwait);
    if (error) co_return failure(error);
    const std::size_t from = answer.size() < kEndOfHead.size() ? 0 : answer.size() - 3;
    answer.append(chunk.data(), size);
    end = answer.find(kEndOfHead, from);
    // What is not HTTP at all may never send an empty line.
    const BytesView begin = BytesView(answer).substr(0, 5);
    if ((end == Bytes::npos && answer.size() > kMaxHeadBytes) ||
        begin != BytesView("HTTP/").substr(0, begin.size())) {
      co_return JudgeProxyAnswer("", proxy, to);
    }
  }
  end += kEndOfHead.size();
  if (auto through = JudgeProxyAnswer(BytesView(answer).substr(0, end), proxy, to); !through) {
    co_return through;
  }
  // Whom we go to waits for us to speak first: these are the proxy's own words.
  if (answer.size() > end) {
    co_return Told(Errc::kMalformed, proxy, "says more than that the connection is made");
  }
  stream.expires_never();
  co_return Expected<void>();
}

}  // namespace mig
