#include "os/ip_address.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::os;

TEST_CASE("ip address: IPv4 that is mapped into IPv6 is IPv4", "[os]") {
  CHECK(IpAddress::Parse("::ffff:192.0.2.7")->Text() == "192.0.2.7");
  CHECK_FALSE(IpAddress::Parse("::ffff:192.0.2.7")->v6());
  CHECK(IpAddress::Parse("2001:DB8::1")->Text() == "2001:db8::1");
  CHECK(IpAddress::Parse("::")->IsAny());
  CHECK(IpAddress::Parse("0.0.0.0")->IsAny());
  CHECK_FALSE(*IpAddress::Parse("::") == *IpAddress::Parse("0.0.0.0"));
  for (const std::string bad :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "x", "fe80::1%eth0", "1.2.3.4 "}) {
    CHECK_FALSE(IpAddress::Parse(bad).has_value());
  }
  CHECK_FALSE(IpAddress::Parse(std::string("1.2.3.4\0", 8)).has_value());
}

TEST_CASE("ip range: covers what shares its prefix, of its own family", "[os]") {
  const auto covers = [](const char* range, const char* address) {
    return IpRange::Parse(range).value().Contains(IpAddress::Parse(address).value());
  };
  CHECK(covers("192.0.2.7", "192.0.2.7"));
  CHECK_FALSE(covers("192.0.2.7", "192.0.2.8"));
  CHECK(covers("192.0.2.0/24", "192.0.2.255"));
  CHECK_FALSE(covers("192.0.2.0/24", "192.0.3.0"));
  CHECK(covers("192.0.2.77/25", "192.0.2.127"));  // bits behind the prefix mean nothing
  CHECK_FALSE(covers("192.0.2.77/25", "192.0.2.128"));
  CHECK(covers("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(covers("0.0.0.0/0", "::1"));
  CHECK_FALSE(covers("::/0", "203.0.113.9"));
  CHECK(covers("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(covers("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(covers("::ffff:192.0.2.0/120", "192.0.2.9"));
  for (const char* bad : {"192.0.2.0/33", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/a", "/24",
                          "::/129", "::ffff:192.0.2.0/24", "192.0.2.0/24/8", "192.0.2.0/ 24"}) {
    INFO(bad);
    CHECK_FALSE(IpRange::Parse(bad).has_value());
  }
}
