#include "net/websocket_upgrade.h"

#include <catch2/catch.hpp>
#include <vector>

namespace mig {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

// What a browser sends, with one line left out or replaced.
struct Head {
  std::string line = "GET /mqtt HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> fields = {
      {"Host", "relay.example.net:8883"},
      {"Connection", "keep-alive, Upgrade"},
      {"Upgrade", "websocket"},
      {"Sec-WebSocket-Version", "13"},
      {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
      {"Sec-WebSocket-Protocol", "mqtt"}};

  Head With(const std::string& name, const std::string& value) const {
    Head other = *this;
    for (auto& field : other.fields) {
      if (field.first == name) {
        field.second = value;
        return other;
      }
    }
    other.fields.emplace_back(name, value);
    return other;
  }
  Head Without(const std::string& name) const {
    Head other = *this;
    std::erase_if(other.fields, [&](const auto& field) { return field.first == name; });
    return other;
  }
  Head Asking(const std::string& request_line) const {
    Head other = *this;
    other.line = request_line;
    return other;
  }
  Bytes Text() const {
    Bytes text = line + "\r\n";
    for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
    return text + "\r\n";
  }
};

std::string Refused(const Head& head, const std::vector<std::string>& origins = {},
                    bool tls = true) {
  return JudgeUpgrade(head.Text(), origins, tls).refusal;
}

TEST_CASE("upgrade: what browsers, proxies and Paho send is taken", "[net]") {
  const Head head;
  CHECK(Refused(head).empty());
  CHECK(Refused(head.Asking("GET /mqtt?tenant=1 HTTP/1.1")).empty());
  CHECK(Refused(head.With("Sec-WebSocket-Protocol", "mqttv3.1, mqtt")).empty());
  CHECK(Refused(head.With("Connection", "upgrade").With("Upgrade", "WebSocket")).empty());
  CHECK(Refused(head.With("Sec-WebSocket-Extensions", "permessage-deflate")).empty());
  CHECK(Refused(head.With("Via", "1.1 proxy").With("X-Forwarded-For", "192.0.2.1")).empty());
}

TEST_CASE("upgrade: another path is not found, whatever is asked there", "[net]") {
  const Head head;
  for (const char* path :
       {"/", "/mqtt/", "/mqtts", "/MQTT", "/?/mqtt", "/metrics", "//mqtt", "*"}) {
    const std::string answer = Refused(head.Asking("GET " + std::string(path) + " HTTP/1.1"));
    CHECK_THAT(answer, StartsWith("HTTP/1.1 404 "));
    CHECK_THAT(answer, Contains("MQTT over WebSocket is at /mqtt\n"));
  }
}

TEST_CASE("upgrade: a request that does not ask for it is told how to", "[net]") {
  const Head head;
  for (const Head& each :
       {head.Without("Upgrade"), head.Without("Connection"), head.With("Upgrade", "h2c"),
        head.Asking("GET /mqtt HTTP/1.0"), head.With("Sec-WebSocket-Version", "8"),
        head.Without("Sec-WebSocket-Version")}) {
    const std::string answer = Refused(each);
    CHECK_THAT(answer, StartsWith("HTTP/1.1 426 "));
    CHECK_THAT(answer, Contains("Upgrade: websocket\r\n"));
    CHECK_THAT(answer, Contains("Sec-WebSocket-Version: 13\r\n"));
  }
}

TEST_CASE("upgrade: without the subprotocol mqtt there is none", "[net]") {  // [MQTT-6.0.0-3]
  const Head head;
  CHECK_THAT(Refused(head.Without("Sec-WebSocket-Protocol")),
             Contains("offer the subprotocol mqtt"));
  for (const char* other : {"mqttv3.1", "xmqtt", "chat, soap", "MQTT"}) {
    CHECK_THAT(Refused(head.With("Sec-WebSocket-Protocol", other)), StartsWith("HTTP/1.1 400 "));
  }
}

TEST_CASE("upgrade: only pages of the origins that are named may connect", "[net]") {
  const Head page = Head().With("Origin", "https://console.example.net");
  CHECK_THAT(Refused(page), StartsWith("HTTP/1.1 403 "));
  CHECK_THAT(Refused(page), Contains("websocket.origins"));
  CHECK_THAT(Refused(page, {"https://console.example.net.evil.example"}),
             StartsWith("HTTP/1.1 403 "));
  CHECK_THAT(Refused(page, {"http://console.example.net"}), StartsWith("HTTP/1.1 403 "));
  CHECK(Refused(page, {"https://other.example", "https://Console.example.net"}).empty());
  for (const char* other : {"null", "", "https://console.example.net:8443"}) {
    CHECK_THAT(Refused(page.With("Origin", other), {"https://console.example.net"}),
               StartsWith("HTTP/1.1 403 "));
  }
  Head two = page;
  two.fields.emplace_back("Origin", "https://evil.example");
  CHECK_THAT(Refused(two, {"https://console.example.net"}), StartsWith("HTTP/1.1 403 "));
}

TEST_CASE("upgrade: the relay's own origin may connect, where nobody else can have it", "[net]") {
  const Head page = Head().With("Host", "relay.example:8883");
  const Head paho = page.With("Origin", "https://relay.example:8883");  // Paho sends it
  CHECK(Refused(paho).empty());
  // Whoever sits on the network can serve a page over HTTP at any name and port.
  CHECK_THAT(Refused(page.With("Origin", "http://relay.example:8883")), StartsWith("HTTP/1.1 403 "));
  CHECK_THAT(Refused(page.With("Origin", "https://relay.example")), StartsWith("HTTP/1.1 403 "));
  // Without TLS whoever has a name can have it mean our address a moment later.
  const Head rebound = page.With("Origin", "http://relay.example:8883");
  CHECK_THAT(Refused(rebound, {}, false), StartsWith("HTTP/1.1 403 "));
  for (const char* host : {"localhost:1883", "127.0.0.1:1883", "[::1]:1883"}) {
    const Head local = Head().With("Host", host).With("Origin", std::string("http://") + host);
    CHECK(Refused(local, {}, false).empty());
    CHECK_THAT(Refused(local), StartsWith("HTTP/1.1 403 "));
  }
  CHECK_THAT(Refused(Head().With("Host", "").With("Origin", "https://")),
             StartsWith("HTTP/1.1 403 "));
}

TEST_CASE("upgrade: a request with a body, or with half the fields twice, is refused", "[net]") {
  const Head head;
  CHECK_THAT(Refused(head.With("Content-Length", "3")), StartsWith("HTTP/1.1 400 "));
  CHECK_THAT(Refused(head.With("Transfer-Encoding", "chunked")), StartsWith("HTTP/1.1 400 "));
  CHECK(Refused(head.With("Content-Length", "0")).empty());
  CHECK_THAT(Refused(head.Without("Host")), StartsWith("HTTP/1.1 400 "));
  CHECK_THAT(Refused(head.Without("Sec-WebSocket-Key")), StartsWith("HTTP/1.1 400 "));
  Head twice = head;
  twice.fields.emplace_back("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==");
  CHECK_THAT(Refused(twice), StartsWith("HTTP/1.1 400 "));
}

TEST_CASE("upgrade: what is not HTTP is answered in HTTP, and not quoted raw", "[net]") {
  for (const char* head :
       {"GET\r\n\r\n", "GET /mqtt\r\n\r\n", "G\x10\x01\r\n\r\n", "\r\n\r\n",
        "GET /mqtt HTTP/1.1\r\nbad field\r\n\r\n", "GET /mqtt HTTP/3.0\r\n\r\n"}) {
    CHECK_THAT(JudgeUpgrade(head, {}, true).refusal, StartsWith("HTTP/1.1 4"));
  }
  const std::string far = "/" + std::string(5000, 'a') + "\x1b[2J";
  const std::string answer = Refused(Head().Asking("GET " + far + " HTTP/1.1"));
  CHECK(answer.size() < 600);
  CHECK(answer.find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace mig
