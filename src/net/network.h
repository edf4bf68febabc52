// IP addresses as bounds per address count them, and networks that stand in a configuration.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig {

// An IPv6 address; IPv4 as ::ffff:192.0.2.1.
using AddressBytes = std::array<std::uint8_t, 16>;

// "192.0.2.1", "2001:db8::1". Error: kInvalid.
Expected<AddressBytes> ParseAddress(const std::string& text);

// Whom an address belongs to, as far as one can tell: an IPv4 address alone, and of IPv6 the /64,
// because whoever has one address there has all of them. Never 0.
using Source = std::uint64_t;
Source SourceOf(const AddressBytes& address);

class Network {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. Error: kInvalid, also when bits are set behind
  // the prefix: then something else was meant.
  static Expected<Network> Parse(std::string_view text);
  static Network Loopback4();  // 127.0.0.0/8
  static Network Loopback6();  // ::1

  bool Contains(const AddressBytes& address) const;
  bool operator==(const Network&) const = default;

 private:
  Network(const AddressBytes& prefix, unsigned bits) : prefix_(prefix), bits_(bits) {}

  AddressBytes prefix_;
  unsigned bits_;  // of the 128
};

}  // namespace mig
