#include "modules/icmp_echo.h"

namespace mig {
namespace {

constexpr std::uint8_t kEchoReply4 = 0;
constexpr std::uint8_t kUnreachable4 = 3;
constexpr std::uint8_t kEchoRequest4 = 8;
constexpr std::uint8_t kTimeExceeded4 = 11;
constexpr std::uint8_t kUnreachable6 = 1;
constexpr std::uint8_t kTimeExceeded6 = 3;
constexpr std::uint8_t kEchoRequest6 = 128;
constexpr std::uint8_t kEchoReply6 = 129;
constexpr std::uint8_t kProtocolIcmp = 1;
constexpr std::uint8_t kProtocolIcmp6 = 58;
constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::size_t kIp6HeaderBytes = 40;

std::uint8_t ByteAt(BytesView bytes, std::size_t index) {
  return static_cast<std::uint8_t>(bytes[index]);
}

std::uint16_t WordAt(BytesView bytes, std::size_t index) {
  return static_cast<std::uint16_t>(ByteAt(bytes, index) << 8 | ByteAt(bytes, index + 1));
}

void PutWord(Bytes& bytes, std::size_t index, std::uint16_t word) {
  bytes[index] = static_cast<char>(word >> 8);
  bytes[index + 1] = static_cast<char>(word & 0xFF);
}

// Takes an IPv4 header off; empty when it is none, or not of ICMP.
BytesView WithoutIp4(BytesView packet) {
  if (packet.size() < 20 || ByteAt(packet, 0) >> 4 != 4) return {};
  const std::size_t header = (ByteAt(packet, 0) & 0xFu) * 4u;
  if (header < 20 || header > packet.size() || ByteAt(packet, 9) != kProtocolIcmp) return {};
  return packet.substr(header);
}

BytesView WithoutIp6(BytesView packet) {
  if (packet.size() < kIp6HeaderBytes || ByteAt(packet, 6) != kProtocolIcmp6) return {};
  return packet.substr(kIp6HeaderBytes);
}

// Whether `message` is the request itself, as an error message quotes it: at least its header.
bool QuotesRequest(BytesView message, const EchoRequest& request, bool own_id) {
  if (message.size() < kIcmpHeaderBytes) return false;
  const std::uint8_t type = request.v6 ? kEchoRequest6 : kEchoRequest4;
  return ByteAt(message, 0) == type && (!own_id || WordAt(message, 4) == request.id) &&
         WordAt(message, 6) == request.sequence;
}

}  // namespace

std::uint16_t InternetChecksum(BytesView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += WordAt(bytes, i);
  if (bytes.size() % 2 != 0)
    sum += static_cast<std::uint32_t>(ByteAt(bytes, bytes.size() - 1)) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Bytes EncodeEchoRequest(const EchoRequest& request) {
  Bytes message(kIcmpHeaderBytes, '\0');
  message[0] = static_cast<char>(request.v6 ? kEchoRequest6 : kEchoRequest4);
  PutWord(message, 4, request.id);
  PutWord(message, 6, request.sequence);
  message += request.payload;
  if (!request.v6) PutWord(message, 2, InternetChecksum(message));
  return message;
}

EchoAnswer ReadEchoAnswer(BytesView packet, const EchoRequest& request, bool with_ip_header,
                          bool own_id) {
  const BytesView message = with_ip_header ? WithoutIp4(packet) : packet;
  if (message.size() < kIcmpHeaderBytes) return EchoAnswer::kNotOurs;
  const std::uint8_t type = ByteAt(message, 0);
  if (type == (request.v6 ? kEchoReply6 : kEchoReply4)) {
    const bool ours = ByteAt(message, 1) == 0 && (!own_id || WordAt(message, 4) == request.id) &&
                      WordAt(message, 6) == request.sequence &&
                      message.substr(kIcmpHeaderBytes) == request.payload;
    return ours ? EchoAnswer::kReply : EchoAnswer::kNotOurs;
  }
  const bool failure = request.v6 ? type == kUnreachable6 || type == kTimeExceeded6
                                  : type == kUnreachable4 || type == kTimeExceeded4;
  if (!failure) return EchoAnswer::kNotOurs;
  const BytesView quoted = message.substr(kIcmpHeaderBytes);
  return QuotesRequest(request.v6 ? WithoutIp6(quoted) : WithoutIp4(quoted), request, own_id)
             ? EchoAnswer::kUnreachable
             : EchoAnswer::kNotOurs;
}

}  // namespace mig
