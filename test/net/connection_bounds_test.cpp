#include "net/connection_bounds.h"

#include <catch2/catch.hpp>

namespace mig {
namespace {

using namespace std::chrono_literals;
using Verdict = ConnectionBounds::Verdict;
constexpr UtcTime kNow{std::chrono::hours(24 * 365 * 50)};

AddressBytes Address(const std::string& text) { return ParseAddress(text).value(); }

const AddressBytes kHere = Address("192.0.2.1");
const AddressBytes kThere = Address("192.0.2.2");

// Everything far away, but what a test is about.
ConnectionLimits Wide() {
  ConnectionLimits limits;
  limits.unknown = limits.unknown_per_address = 1'000'000;
  limits.rate = limits.rate_per_address = 0;
  return limits;
}

TEST_CASE("connection bounds: at the number in all newcomers wait until one leaves", "[net]") {
  ConnectionLimits limits = Wide();
  limits.total = 2;
  ConnectionBounds bounds(limits);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
  bounds.Known(kHere);
  CHECK_FALSE(bounds.Full());
  CHECK(bounds.Admit(kThere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Full());
  bounds.Left(kHere, true);
  CHECK_FALSE(bounds.Full());
}

TEST_CASE("connection bounds: one address with all its connections leaves others theirs", "[net]") {
  ConnectionLimits limits = Wide();
  limits.per_address = 2;
  ConnectionBounds bounds(limits);
  for (int i = 0; i < 2; ++i) {
    CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
    bounds.Known(kHere);
  }
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kTooMany);
  CHECK(bounds.Admit(kThere, kNow) == Verdict::kAdmitted);
  bounds.Left(kHere, true);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
}

TEST_CASE("connection bounds: unknown ones of one address are few, known ones many", "[net]") {
  ConnectionLimits limits = Wide();
  limits.unknown_per_address = 2;
  ConnectionBounds bounds(limits);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kTooManyUnknown);
  CHECK(bounds.Admit(kThere, kNow) == Verdict::kAdmitted);
  bounds.Known(kHere);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kTooManyUnknown);
  bounds.Left(kHere, false);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.unknown() == 3);
}

TEST_CASE("connection bounds: one address of a /64 is as good as another", "[net]") {
  ConnectionLimits limits = Wide();
  limits.per_address = 2;
  ConnectionBounds bounds(limits);
  CHECK(bounds.Admit(Address("2001:db8:0:1::1"), kNow) == Verdict::kAdmitted);
  CHECK(bounds.Admit(Address("2001:db8:0:1::2"), kNow) == Verdict::kAdmitted);
  CHECK(bounds.Admit(Address("2001:db8:0:1:ffff::"), kNow) == Verdict::kTooMany);
  CHECK(bounds.Admit(Address("2001:db8:0:2::1"), kNow) == Verdict::kAdmitted);
}

TEST_CASE("connection bounds: who comes too often is sent away, and may come back", "[net]") {
  ConnectionLimits limits = Wide();
  limits.rate_per_address = 10;
  limits.burst = 2s;
  ConnectionBounds bounds(limits);
  int admitted = 0;
  for (int i = 0; i < 100; ++i) {
    if (bounds.Admit(kHere, kNow) == Verdict::kAdmitted) {
      ++admitted;
      bounds.Left(kHere, false);  // coming and going does not help
    }
  }
  CHECK(admitted == 20);
  CHECK(bounds.Admit(kHere, kNow) == Verdict::kTooFast);
  CHECK(bounds.Admit(kThere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Admit(kHere, kNow + 101ms) == Verdict::kAdmitted);
}

TEST_CASE("connection bounds: the rate in all is paid by those who were admitted", "[net]") {
  ConnectionLimits limits = Wide();
  limits.rate = 10;
  limits.burst = 1s;
  limits.per_address = 5;
  ConnectionBounds bounds(limits);
  for (int i = 0; i < 1000; ++i) bounds.Admit(kHere, kNow);
  CHECK(bounds.Pause(kNow) == 0ms);
  for (int i = 0; i < 5; ++i) CHECK(bounds.Admit(kThere, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Pause(kNow) > 0ms);
  CHECK(bounds.Pause(kNow + bounds.Pause(kNow)) == 0ms);
}

TEST_CASE("connection bounds: exempt networks are bounded in all only", "[net]") {
  ConnectionLimits limits = Wide();
  limits.per_address = limits.unknown_per_address = limits.rate_per_address = 1;
  limits.total = 4;
  ConnectionBounds bounds(limits);
  const AddressBytes loopback = Address("127.0.0.1");
  for (int i = 0; i < 4; ++i) CHECK(bounds.Admit(loopback, kNow) == Verdict::kAdmitted);
  CHECK(bounds.Full());
  CHECK(bounds.sources() == 0);
  bounds.Known(loopback);
  bounds.Left(loopback, true);
  bounds.Left(loopback, false);
  CHECK(bounds.total() == 2);
  CHECK(bounds.unknown() == 2);
}

TEST_CASE("connection bounds: what is remembered of a whole network is bounded", "[net]") {
  ConnectionLimits limits = Wide();
  limits.rate_per_address = 10;
  limits.burst = 2s;
  ConnectionBounds bounds(limits);
  UtcTime now = kNow;
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {  // ten thousand a second, each from a new one
    AddressBytes address = kHere;
    address[12] = static_cast<std::uint8_t>(i >> 16);
    address[13] = static_cast<std::uint8_t>(i >> 8);
    address[14] = static_cast<std::uint8_t>(i);
    if (bounds.Admit(address, now) == Verdict::kAdmitted) bounds.Left(address, false);
    if (i % 10 == 0) now += 1ms;
    most = std::max(most, bounds.sources());
  }
  CHECK(most < 10'000);  // a tenth of a second is what each costs
}

}  // namespace
}  // namespace mig
