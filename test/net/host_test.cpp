#include "net/host.h"

#include <catch2/catch.hpp>

namespace mig {

TEST_CASE("host: a host and a port", "[net]") {
  const auto shown = [](std::string_view text, std::optional<std::uint16_t> port = std::nullopt) {
    const auto parsed = ParseHostPort(text, port);
    return parsed ? parsed->host + "|" + std::to_string(parsed->port) : std::string("error");
  };
  CHECK(shown("relay.example.net:8883") == "relay.example.net|8883");
  CHECK(shown("127.0.0.1:0") == "127.0.0.1|0");
  CHECK(shown("[::1]:8883") == "::1|8883");
  CHECK(shown("relay", 443) == "relay|443");
  CHECK(shown("[fe80::1%eth0]", 443) == "fe80::1%eth0|443");
  for (const char* bad : {"", ":", "relay", "relay:", ":8883", "relay:65536", "relay:-1",
                          "relay:8x", "::1:8883", "[::1", "[::1]8883", "[relay]:1", "a b:1",
                          "user@relay:1", "relay/path:1", "relay\r\nX:1"}) {
    CAPTURE(bad);
    CHECK(shown(bad) == "error");
  }
}

TEST_CASE("host: what is written can be read", "[net]") {
  CHECK(FormatHostPort("relay", 1) == "relay:1");
  CHECK(FormatHostPort("::1", 1) == "[::1]:1");
}

TEST_CASE("host: loopback is told by what is written, not by a name's beginning", "[net]") {
  CHECK(IsLoopback("127.0.0.1"));
  CHECK(IsLoopback("127.1.2.3"));
  CHECK(IsLoopback("::1"));
  CHECK(IsLoopback("LocalHost"));
  CHECK_FALSE(IsLoopback("127.0.0.1.example.org"));
  CHECK_FALSE(IsLoopback("128.0.0.1"));
  CHECK_FALSE(IsLoopback("notlocalhost"));
}

TEST_CASE("host: localhost can always be dialled", "[net]") {
  const std::string dialled = DialHost("localhost");
  CHECK((dialled == "localhost" || dialled == "127.0.0.1"));
  CHECK(DialHost("relay.invalid") == "relay.invalid");
}

}  // namespace mig
