#include "crypto/openpgp_packet.h"

#include <bit>
#include <cassert>
#include <string>

namespace mig::openpgp {
namespace {

constexpr std::uint8_t kHeaderBit = 0x80;
constexpr std::uint8_t kNewFormatBit = 0x40;

Error Malformed(std::string_view why) {
  return Error(Errc::kMalformed, "OpenPGP packet: " + std::string(why));
}
Error Streamed() {
  return Error(
      Errc::kUnsupported,
      "OpenPGP packet: its length is partial or indeterminate, which only streamed data has");
}

// RFC 9580 section 4.2.1: one, two or five octets.
Expected<std::uint32_t> NewLength(Octets& octets) {
  const std::uint8_t first = octets.U8();
  if (first < 192) return first;
  if (first < 224) return ((first - 192u) << 8) + octets.U8() + 192u;
  if (first == 255) return octets.U32();
  return Streamed();
}

// Section 4.2.2: the header's two low bits say how many octets the length has.
Expected<std::uint32_t> OldLength(Octets& octets, std::uint8_t header) {
  switch (header & 3) {
    case 0:
      return octets.U8();
    case 1:
      return octets.U16();
    case 2:
      return octets.U32();
    default:
      return Streamed();
  }
}

}  // namespace

Expected<Packet> TakePacket(BytesView& rest) {
  Octets octets(rest);
  const std::uint8_t header = octets.U8();
  if ((header & kHeaderBit) == 0) return Malformed("no packet starts here");
  const bool is_new = (header & kNewFormatBit) != 0;
  const unsigned type = is_new ? header & 0x3Fu : (header & 0x3Cu) >> 2;
  if (type == 0) return Malformed("type 0 is reserved");
  const auto length = is_new ? NewLength(octets) : OldLength(octets, header);
  if (!length) return length.error();
  const BytesView body = octets.Take(*length);
  if (!octets.ok()) return Malformed("it is longer than what is there");
  rest.remove_prefix(rest.size() - octets.left());
  return Packet{static_cast<PacketType>(type), body};
}

void AppendPacket(Bytes& out, PacketType type, BytesView body) {
  out += static_cast<char>(kHeaderBit | kNewFormatBit | static_cast<std::uint8_t>(type));
  if (body.size() < 192) {
    out += static_cast<char>(body.size());
  } else if (body.size() < 8384) {
    AppendU16(out, body.size() - 192 + (192u << 8));
  } else {
    out += static_cast<char>(0xFF);
    AppendU32(out, body.size());
  }
  out += body;
}

std::uint32_t Octets::Number(std::size_t bytes) {
  std::uint32_t number = 0;
  for (const char c : Take(bytes)) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

BytesView Octets::Take(std::size_t count) {
  if (!ok_ || count > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const BytesView taken = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return taken;
}

BytesView Octets::Mpi() {
  const std::size_t bits = U16();
  const BytesView number = Take((bits + 7) / 8);
  if (!number.empty()) {
    const auto first = static_cast<unsigned char>(number.front());
    const std::size_t exact =
        (number.size() - 1) * 8 + static_cast<std::size_t>(std::bit_width(first));
    if (exact != bits) {
      ok_ = false;
      rest_ = {};
      return {};
    }
  }
  return number;
}

void AppendU16(Bytes& out, std::size_t number) {
  assert(number <= 0xFFFF && "bounded where it came in");
  out += static_cast<char>(number >> 8 & 0xFF);
  out += static_cast<char>(number & 0xFF);
}

void AppendU32(Bytes& out, std::size_t number) {
  assert(number <= 0xFFFF'FFFF && "bounded where it came in");
  AppendU16(out, number >> 16);
  AppendU16(out, number & 0xFFFF);
}

void AppendMpi(Bytes& out, BytesView number) {
  while (!number.empty() && number.front() == '\0') number.remove_prefix(1);
  std::size_t bits = 0;
  if (!number.empty()) {
    bits = (number.size() - 1) * 8 +
           static_cast<std::size_t>(std::bit_width(static_cast<unsigned char>(number.front())));
  }
  AppendU16(out, bits);
  out += number;
}

Bytes LeftPadded(BytesView number, std::size_t size) {
  assert(number.size() <= size && "checked by the caller");
  return Bytes(size - number.size(), '\0').append(number);
}

}  // namespace mig::openpgp
