#include "os/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace mig::os {
namespace {

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

}  // namespace

IpAddress IpAddress::FromBytes(BytesView bytes) {
  IpAddress address;
  if (bytes.size() == 16 && bytes.starts_with(kMapped)) bytes.remove_prefix(kMapped.size());
  address.v6_ = bytes.size() == 16;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  return address;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string whole(text);  // inet_pton wants an end
  if (whole.find('\0') != std::string::npos) return std::nullopt;
  std::array<char, 16> bytes{};
  if (::inet_pton(AF_INET, whole.c_str(), bytes.data()) == 1) {
    return FromBytes(BytesView(bytes.data(), 4));
  }
  if (::inet_pton(AF_INET6, whole.c_str(), bytes.data()) == 1) {
    return FromBytes(BytesView(bytes.data(), 16));
  }
  return std::nullopt;
}

bool IpAddress::IsAny() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](char c) { return c == 0; });
}

BytesView IpAddress::bytes() const { return BytesView(bytes_.data(), v6_ ? 16 : 4); }

std::string IpAddress::Text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<IpRange> IpRange::Parse(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = IpAddress::Parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  IpRange range;
  range.address_ = *address;
  range.prefix_ = address->v6() ? 128 : 32;
  if (slash == text.size()) return range;
  const std::string_view digits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  // "::ffff:192.0.2.0/120" is a range of IPv4.
  const bool mapped = !address->v6() && text.find(':') < slash;
  if (mapped && prefix < 96) return std::nullopt;
  if (mapped) prefix -= 96;
  if (prefix > range.prefix_) return std::nullopt;
  range.prefix_ = prefix;
  return range;
}

bool IpRange::Contains(const IpAddress& address) const {
  if (address.v6() != address_.v6()) return false;
  const BytesView a = address.bytes();
  const BytesView b = address_.bytes();
  const std::size_t whole = prefix_ / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  const unsigned rest = prefix_ % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xffu << (8 - rest) & 0xffu;
  return ((static_cast<unsigned char>(a[whole]) ^ static_cast<unsigned char>(b[whole])) & mask) ==
         0;
}

}  // namespace mig::os
