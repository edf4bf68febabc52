#include "net/websocket_upgrade.h"

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <sstream>

#include "net/host.h"
#include "util/text.h"

namespace mig {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

using Request = http::request<http::empty_body>;

// What is not the client's to know more about than this.
constexpr std::size_t kMaxQuoted = 100;

Bytes Refusal(http::status status, std::string_view reason) {
  http::response<http::string_body> answer{status, 11};
  answer.set(http::field::server, "mig relay");
  answer.set(http::field::content_type, "text/plain; charset=utf-8");
  answer.set(http::field::connection, "close");
  if (status == http::status::upgrade_required) {
    answer.set(http::field::upgrade, "websocket");  // RFC 9110 section 15.5.22
    answer.set(http::field::connection, "Upgrade, close");
    answer.set(http::field::sec_websocket_version, "13");  // RFC 6455 section 4.4
  }
  answer.body() = std::string(reason) + "\n";
  answer.prepare_payload();
  std::ostringstream text;
  text << answer;
  return std::move(text).str();
}

std::string Quoted(beast::string_view text) {
  std::string quoted;
  for (const char c : text.substr(0, kMaxQuoted)) quoted += c < ' ' || c > '~' ? '?' : c;
  return "`" + quoted + (text.size() > kMaxQuoted ? "…`" : "`");
}

bool Offers(const Request& request, std::string_view protocol) {
  const auto lines = request.equal_range(http::field::sec_websocket_protocol);
  return std::any_of(lines.first, lines.second, [&](const auto& line) {
    const http::token_list offered(line.value());
    return std::any_of(offered.begin(), offered.end(), [&](beast::string_view each) {
      return std::string_view(each.data(), each.size()) == protocol;
    });
  });
}

// A page of anybody's, in the browser of somebody who has a certificate of ours, could connect with
// it: browsers show certificates without asking the page's author, and the same-origin policy does
// not hold for WebSockets. The browser says whose page it is.
bool MayFrom(const Request& request, std::span<const std::string> origins, bool tls) {
  const beast::string_view asked = request[http::field::host];
  const std::string host(asked.data(), asked.size());
  std::string own;
  if (const auto parsed = ParseHostPort(host, tls ? 443 : 80)) {
    if (tls) own = "https://" + host;
    if (!tls && IsLoopback(parsed->host)) own = "http://" + host;
  }
  const auto lines = request.equal_range(http::field::origin);
  return std::all_of(lines.first, lines.second, [&](const auto& line) {
    const std::string origin = LowerAscii({line.value().data(), line.value().size()});
    if (!own.empty() && origin == LowerAscii(own)) return true;
    return std::any_of(origins.begin(), origins.end(),
                       [&](const std::string& allowed) { return origin == LowerAscii(allowed); });
  });
}

struct Objection {
  http::status status = http::status::ok;  // none
  std::string reason;
};

Objection Check(const Request& request, bool has_body, std::span<const std::string> origins,
                bool tls) {
  const std::string path(kWebSocketPath);
  const beast::string_view target = request.target();
  if (target.substr(0, target.find('?')) != beast::string_view(path)) {
    return {http::status::not_found,
            "there is nothing at " + Quoted(target) + ": MQTT over WebSocket is at " + path};
  }
  if (!MayFrom(request, origins, tls)) {
    return {http::status::forbidden, "pages of the origin " + Quoted(request[http::field::origin]) +
                                         " may not connect: the relay's configuration does not "
                                         "name it under websocket.origins"};
  }
  if (has_body) return {http::status::bad_request, "a request to upgrade has no body"};
  if (!websocket::is_upgrade(request)) {
    return {http::status::upgrade_required,
            "this is MQTT over WebSocket: ask for an upgrade to websocket, version 13, with the "
            "subprotocol mqtt"};
  }
  if (request[http::field::sec_websocket_version] != "13") {
    return {http::status::upgrade_required, "only version 13 of WebSocket is spoken here"};
  }
  if (request.count(http::field::host) != 1) {
    return {http::status::bad_request, "the request must have one Host"};
  }
  if (request.count(http::field::sec_websocket_key) != 1) {
    return {http::status::bad_request, "the request must have one Sec-WebSocket-Key"};
  }
  if (!Offers(request, kWebSocketProtocol)) {
    return {http::status::bad_request,  // [MQTT-6.0.0-3]
            "offer the subprotocol mqtt: Sec-WebSocket-Protocol: mqtt"};
  }
  return {};
}

}  // namespace

Bytes HttpRefusal(int status, std::string_view reason) {
  return Refusal(static_cast<http::status>(status), reason);
}

Upgrade JudgeUpgrade(BytesView head, std::span<const std::string> origins, bool tls) {
  Upgrade upgrade;
  const auto refuse = [&](http::status status, std::string reason) {
    upgrade.problem = "HTTP " + std::to_string(static_cast<int>(status)) + ": " + reason;
    upgrade.refusal = Refusal(status, reason);
  };
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kMaxUpgradeBytes);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done()) {
    refuse(http::status::bad_request,
           "not a request of HTTP/1.1" + (error ? ": " + error.message() : std::string()));
    return upgrade;
  }
  const bool has_body = parser.chunked() || parser.content_length_remaining().value_or(0) > 0;
  upgrade.request = parser.release();
  Objection objection = Check(upgrade.request, has_body, origins, tls);
  if (objection.status != http::status::ok) refuse(objection.status, std::move(objection.reason));
  return upgrade;
}

}  // namespace mig
