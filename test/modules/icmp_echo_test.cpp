#include "modules/icmp_echo.h"

#include <catch2/catch.hpp>

#include "util/encoding.h"

using namespace mig;

namespace {

EchoRequest Request(bool v6 = false) { return {v6, 0x1234, 7, "payload!"}; }

Bytes Hex(std::string_view text) { return DecodeHex(text).value(); }

// A minimal IPv4 header of ICMP.
const Bytes kIp4 =
    Hex("45000024000000004001000000000000"
        "7f000001");

Bytes Reply(Bytes message, bool v6 = false) {
  message[0] = static_cast<char>(v6 ? 129 : 0);
  return message;
}

}  // namespace

TEST_CASE("icmp: the checksum is RFC 1071's", "[modules]") {
  CHECK(InternetChecksum(Hex("0001f203f4f5f6f7")) == 0x220d);  // its example
  CHECK(InternetChecksum(Hex("01")) == 0xfeff);
  CHECK(InternetChecksum("") == 0xffff);
}

TEST_CASE("icmp: a request has type, id, sequence, payload and a right checksum", "[modules]") {
  const Bytes message = EncodeEchoRequest(Request());
  CHECK(EncodeHex(message.substr(0, 2)) == "0800");
  CHECK(EncodeHex(message.substr(4)) == "123400077061796c6f616421");
  CHECK(InternetChecksum(message) == 0);
  CHECK(EncodeHex(EncodeEchoRequest(Request(true)).substr(0, 8)) == "8000000012340007");
}

TEST_CASE("icmp: only our own reply is an answer", "[modules]") {
  const Bytes good = Reply(EncodeEchoRequest(Request()));
  CHECK(ReadEchoAnswer(kIp4 + good, Request(), true, true) == EchoAnswer::kReply);
  CHECK(ReadEchoAnswer(good, Request(), false, true) == EchoAnswer::kReply);
  // The request itself, which a raw socket on loopback hears as well.
  CHECK(ReadEchoAnswer(EncodeEchoRequest(Request()), Request(), false, true) ==
        EchoAnswer::kNotOurs);

  const auto changed = [&](std::size_t index) {
    Bytes bytes = good;
    bytes[index] = static_cast<char>(bytes[index] ^ 1);
    return ReadEchoAnswer(bytes, Request(), false, true);
  };
  CHECK(changed(1) == EchoAnswer::kNotOurs);   // code
  CHECK(changed(5) == EchoAnswer::kNotOurs);   // id: another ping
  CHECK(changed(7) == EchoAnswer::kNotOurs);   // sequence: a late answer to an earlier one
  CHECK(changed(12) == EchoAnswer::kNotOurs);  // payload
  CHECK(ReadEchoAnswer(good.substr(0, 12), Request(), false, true) == EchoAnswer::kNotOurs);

  Bytes other_id = good;
  other_id[5] = 0;
  CHECK(ReadEchoAnswer(other_id, Request(), false, false) == EchoAnswer::kReply);
}

TEST_CASE("icmp: an IPv6 reply is one", "[modules]") {
  const Bytes good = Reply(EncodeEchoRequest(Request(true)), true);
  CHECK(ReadEchoAnswer(good, Request(true), false, true) == EchoAnswer::kReply);
  CHECK(ReadEchoAnswer(good, Request(false), false, true) == EchoAnswer::kNotOurs);
}

TEST_CASE("icmp: a router's complaint about our request is an answer, about another's not",
          "[modules]") {
  const Bytes request = EncodeEchoRequest(Request());
  const Bytes complaint = Hex("0301000000000000") + kIp4 + request.substr(0, 8);
  CHECK(ReadEchoAnswer(kIp4 + complaint, Request(), true, true) == EchoAnswer::kUnreachable);
  Bytes other = complaint;
  other[other.size() - 1] = 9;  // sequence
  CHECK(ReadEchoAnswer(kIp4 + other, Request(), true, true) == EchoAnswer::kNotOurs);

  const Bytes request6 = EncodeEchoRequest(Request(true));
  Bytes ip6(40, '\0');
  ip6[0] = 0x60;
  ip6[6] = 58;
  const Bytes complaint6 = Hex("0104000000000000") + ip6 + request6.substr(0, 8);
  CHECK(ReadEchoAnswer(complaint6, Request(true), false, true) == EchoAnswer::kUnreachable);
}

TEST_CASE("icmp: cut and broken packets are nobody's", "[modules]") {
  const Bytes good = kIp4 + Reply(EncodeEchoRequest(Request()));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK(ReadEchoAnswer(BytesView(good).substr(0, size), Request(), true, true) ==
          EchoAnswer::kNotOurs);
  }
  Bytes long_header = good;
  long_header[0] = 0x4F;  // 60 bytes of header, more than there are
  CHECK(ReadEchoAnswer(long_header, Request(), true, true) == EchoAnswer::kNotOurs);
  Bytes tcp = good;
  tcp[9] = 6;
  CHECK(ReadEchoAnswer(tcp, Request(), true, true) == EchoAnswer::kNotOurs);
  CHECK(ReadEchoAnswer(Hex("0301000000000000"), Request(), false, true) == EchoAnswer::kNotOurs);
}
