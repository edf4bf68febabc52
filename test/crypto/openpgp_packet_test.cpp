#include "crypto/openpgp_packet.h"

#include <catch2/catch.hpp>

using namespace mig;
using namespace mig::openpgp;

namespace {

Errc CodeOf(BytesView bytes) {
  BytesView rest = bytes;
  const auto packet = TakePacket(rest);
  REQUIRE_FALSE(packet);
  CHECK(rest == bytes);
  return packet.error().code();
}
Bytes B(std::initializer_list<unsigned> octets) {
  Bytes out;
  for (const unsigned octet : octets) out += static_cast<char>(octet);
  return out;
}

}  // namespace

TEST_CASE("openpgp packet: new headers have one, two or five octets of length",
          "[crypto][openpgp]") {  // RFC 9580 section 4.2.1
  for (const std::size_t size : {0, 1, 191, 192, 8383, 8384, 70000}) {
    const Bytes body(size, 'b');
    Bytes out;
    AppendPacket(out, PacketType::kUserId, body);
    CHECK(out.size() == size + (size < 192 ? 2 : size < 8384 ? 3 : 6));
    BytesView rest = out;
    const auto packet = TakePacket(rest);
    REQUIRE(packet);
    CHECK(packet->type == PacketType::kUserId);
    CHECK(packet->body == body);
    CHECK(rest.empty());
  }
}

TEST_CASE("openpgp packet: old headers have one, two or four octets of length",
          "[crypto][openpgp]") {  // section 4.2.2
  for (const Bytes& header : {B({0xB4, 3}), B({0xB5, 0, 3}), B({0xB6, 0, 0, 0, 3})}) {
    const Bytes bytes = header + "abcd";
    BytesView rest = bytes;
    const auto packet = TakePacket(rest);
    REQUIRE(packet);
    CHECK(packet->type == PacketType::kUserId);
    CHECK(packet->body == "abc");
    CHECK(rest == "d");
  }
}

TEST_CASE("openpgp packet: streamed lengths, type 0 and what is cut are refused",
          "[crypto][openpgp]") {
  CHECK(CodeOf(B({0xB7, 1, 2})) == Errc::kUnsupported);        // indeterminate
  CHECK(CodeOf(B({0xCD, 0xE0, 1, 2})) == Errc::kUnsupported);  // partial
  CHECK(CodeOf(B({0xCD, 0xFE, 1, 2})) == Errc::kUnsupported);
  CHECK(CodeOf(B({0xC0, 1, 2})) == Errc::kMalformed);
  CHECK(CodeOf(B({0x80, 1, 2})) == Errc::kMalformed);
  CHECK(CodeOf(B({0x00, 1, 2})) == Errc::kMalformed);
  CHECK(CodeOf(B({0x4D, 1, 2})) == Errc::kMalformed);
  CHECK(CodeOf("") == Errc::kMalformed);
  CHECK(CodeOf(B({0xCD})) == Errc::kMalformed);
  CHECK(CodeOf(B({0xCD, 2, 1})) == Errc::kMalformed);
  CHECK(CodeOf(B({0xCD, 0xC0})) == Errc::kMalformed);
  CHECK(CodeOf(B({0xCD, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1})) == Errc::kMalformed);
  CHECK(CodeOf(B({0xB6, 0xFF, 0xFF, 0xFF, 0xFF, 1})) == Errc::kMalformed);
}

TEST_CASE("openpgp packet: a number has exactly the bits it says", "[crypto][openpgp]") {
  const auto read = [](const Bytes& bytes) {
    Octets octets(bytes);
    const Bytes number(octets.Mpi());
    return octets.AtEnd() ? number : Bytes("refused");
  };
  CHECK(read(B({0, 1, 1})) == B({1}));  // the examples of section 3.2
  CHECK(read(B({0, 9, 1, 0xFF})) == B({1, 0xFF}));
  CHECK(read(B({0, 0})).empty());
  CHECK(read(B({0, 2, 1})) == "refused");
  CHECK(read(B({0, 8, 1})) == "refused");
  CHECK(read(B({0, 1, 0})) == "refused");
  CHECK(read(B({0, 9, 0, 0xFF})) == "refused");
  CHECK(read(B({0, 1, 3})) == "refused");
  CHECK(read(B({0, 9, 1})) == "refused");
  CHECK(read(B({0, 1, 1, 0})) == "refused");
  for (const Bytes& number : {B({1}), B({0, 0, 5}), B({0x80, 0}), B({0}), Bytes()}) {
    Bytes out;
    AppendMpi(out, number);
    const Bytes back = read(out);
    CHECK(LeftPadded(back, number.size()) == number);
  }
}

TEST_CASE("openpgp packet: after a missing field everything reads as nothing",
          "[crypto][openpgp]") {
  const Bytes bytes = B({1, 2, 3, 4, 5});
  Octets octets(bytes);
  CHECK(octets.U16() == 0x0102);
  CHECK(octets.U32() == 0);
  CHECK_FALSE(octets.ok());
  CHECK(octets.U8() == 0);
  CHECK(octets.Rest().empty());
  CHECK_FALSE(octets.AtEnd());
}
