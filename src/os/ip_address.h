// Internet addresses and ranges of them, as people write them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "util/bytes.h"

namespace mig::os {

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0

  // 4 or 16 bytes in network order. An IPv4 address that is mapped into IPv6 (::ffff:a.b.c.d, RFC
  // 4291) is that IPv4 address. Requires: one of the two sizes.
  static IpAddress FromBytes(BytesView bytes);
  // "192.0.2.7", "2001:db8::1"; no zone.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool v6() const { return v6_; }
  bool IsAny() const;  // 0.0.0.0 or ::
  std::string Text() const;
  // 4 or 16.
  BytesView bytes() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<char, 16> bytes_{};
  bool v6_ = false;
};

class IpRange {
 public:
  // An address, or "192.0.2.0/24". Bits behind the prefix mean nothing.
  static std::optional<IpRange> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;

 private:
  IpAddress address_;
  unsigned prefix_ = 0;
};

}  // namespace mig::os
