#include "net/network.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

AddressBytes Address(const std::string& text) {
  auto address = ParseAddress(text);
  REQUIRE(address);
  return *address;
}

TEST_CASE("source: an IPv4 address alone, and the /64 of an IPv6 address", "[net]") {
  const auto source = [](const char* text) { return SourceOf(Address(text)); };
  CHECK(source("192.0.2.1") == source("::ffff:192.0.2.1"));
  CHECK(source("192.0.2.1") != source("192.0.2.2"));
  CHECK(source("2001:db8:1:2::1") == source("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(source("2001:db8:1:2::1") != source("2001:db8:1:3::1"));
  CHECK(source("2001:db8::1") != source("2001:db9::1"));
  CHECK(source("::1") != 0);
  CHECK(source("0.0.0.0") != 0);
  CHECK(source("::1") != source("0.0.0.1"));
}

TEST_CASE("network: contains what has its prefix", "[net]") {
  struct Case {
    const char* network;
    const char* address;
    bool inside;
  };
  for (const Case& each : {
           Case{"10.0.0.0/8", "10.255.1.2", true},
           Case{"10.0.0.0/8", "11.0.0.0", false},
           Case{"10.1.2.128/25", "10.1.2.129", true},
           Case{"10.1.2.128/25", "10.1.2.127", false},
           Case{"192.0.2.7", "192.0.2.7", true},
           Case{"192.0.2.7", "192.0.2.6", false},
           Case{"0.0.0.0/0", "203.0.113.9", true},
           Case{"0.0.0.0/0", "2001:db8::1", false},
           Case{"2001:db8::/33", "2001:db8:7fff::", true},
           Case{"2001:db8::/33", "2001:db8:8000::", false},
           Case{"::/0", "2001:db8::1", true},
           Case{"::1", "::1", true},
           Case{"::1", "127.0.0.1", false},
       }) {
    INFO(each.network << " " << each.address);
    auto network = Network::Parse(each.network);
    REQUIRE(network);
    CHECK(network->Contains(Address(each.address)) == each.inside);
  }
  CHECK(Network::Loopback4().Contains(Address("127.9.9.9")));
  CHECK_FALSE(Network::Loopback4().Contains(Address("128.0.0.1")));
  CHECK(Network::Loopback6().Contains(Address("::1")));
  CHECK_FALSE(Network::Loopback6().Contains(Address("::2")));
}

TEST_CASE("network: what is none is refused", "[net]") {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.1/8", "10.0.0/8", "2001:db8::/129", "2001:db8::1/64",
                           "localhost", "10.0.0.0/8/8", " 10.0.0.1", "10.0.0.1 "}) {
    INFO(text);
    auto network = Network::Parse(text);
    REQUIRE_FALSE(network);
    CHECK(network.error().code() == Errc::kInvalid);
  }
}

}  // namespace
}  // namespace mig
