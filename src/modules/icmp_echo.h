// ICMP echo messages (RFC 792, RFC 4443), as bytes: made, and recognised among everything else that
// a raw socket hears. Pure; the sockets are os/reach.h.
#pragma once

#include <cstdint>

#include "util/bytes.h"

namespace mig {

struct EchoRequest {
  bool v6 = false;
  std::uint16_t id = 0;
  std::uint16_t sequence = 0;
  Bytes payload;  // random: an answer must bring it back
};

// The message with its checksum. (ICMPv6's covers addresses that only the kernel knows: it is left
// zero, and the kernel fills it in, RFC 3542 section 3.1.)
Bytes EncodeEchoRequest(const EchoRequest& request);

enum class EchoAnswer {
  kNotOurs,      // somebody else's, or no ICMP at all
  kReply,        // our payload under our sequence number
  kUnreachable,  // a router or the host itself says that our request does not get there
};

// What `packet` says about `request`. `with_ip_header`: as raw IPv4 sockets deliver. The id is not
// looked at when `own_id` is false: ping sockets have one of their own, and hear only answers to
// it.
EchoAnswer ReadEchoAnswer(BytesView packet, const EchoRequest& request, bool with_ip_header,
                          bool own_id);

// RFC 1071. Zero over a message that carries its right checksum.
std::uint16_t InternetChecksum(BytesView bytes);

}  // namespace mig
