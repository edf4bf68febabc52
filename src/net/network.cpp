#include "net/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace mig {
namespace {

constexpr AddressBytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 96;

bool IsMapped(const AddressBytes& address) {
  return std::equal(address.begin(), address.begin() + kMappedBits / 8, kMapped.begin());
}

// The first `bits` bits; the rest is 0.
AddressBytes Cut(AddressBytes address, unsigned bits) {
  for (unsigned i = 0; i < address.size(); ++i) {
    const unsigned keep = std::clamp(bits, i * 8, i * 8 + 8) - i * 8;
    address[i] = static_cast<std::uint8_t>(address[i] & (0xFF00U >> keep));
  }
  return address;
}

std::optional<unsigned> ParseBits(std::string_view text, unsigned most) {
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (error != std::errc() || end != text.data() + text.size() || bits > most) return std::nullopt;
  return bits;
}

}  // namespace

Expected<AddressBytes> ParseAddress(const std::string& text) {
  AddressBytes bytes = kMapped;
  if (inet_pton(AF_INET, text.c_str(), &bytes[kMappedBits / 8]) == 1) return bytes;
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  return Error(Errc::kInvalid, "`" + text + "` is no IP address");
}

Source SourceOf(const AddressBytes& address) {
  Source source = 0;
  if (IsMapped(address)) {
    // Under ffff::/16, which are multicast addresses: nobody connects from one.
    source = 0xFFFF;
    for (std::size_t i = kMappedBits / 8; i < 16; ++i) source = source << 8 | address[i];
    return source << 16 | 1;
  }
  for (std::size_t i = 0; i < 8; ++i) source = source << 8 | address[i];
  return source == 0 ? 1 : source;  // ::1 and its like
}

Expected<Network> Network::Parse(std::string_view text) {
  const auto slash = text.find('/');
  auto address = ParseAddress(std::string(text.substr(0, slash)));
  if (!address) return std::move(address).error();
  const bool four = IsMapped(*address);
  unsigned bits = 128;
  if (slash != std::string_view::npos) {
    const auto given = ParseBits(text.substr(slash + 1), four ? 32 : 128);
    if (!given) {
      return Error(Errc::kInvalid, "`" + std::string(text) + "` is no network like 10.0.0.0/8");
    }
    bits = four ? *given + kMappedBits : *given;
  }
  if (Cut(*address, bits) != *address) {
    return Error(Errc::kInvalid, "`" + std::string(text) + "` has bits behind its prefix");
  }
  return Network(*address, bits);
}

Network Network::Loopback4() {
  AddressBytes prefix = kMapped;
  prefix[kMappedBits / 8] = 127;
  return {prefix, kMappedBits + 8};
}

Network Network::Loopback6() {
  AddressBytes address{};
  address.back() = 1;
  return {address, 128};
}

bool Network::Contains(const AddressBytes& address) const { return Cut(address, bits_) == prefix_; }

}  // namespace mig
