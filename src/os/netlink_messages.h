// What the kernel answers over netlink (netlink(7), sock_diag(7), rtnetlink(7)), as it comes: one
// datagram holds many messages. Pure; part of os/sockets.h.
#pragma once

#include <cstdint>
#include <vector>

#include "os/socket_tables.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

// How a datagram ended.
enum class NetlinkEnd {
  kMore,  // another follows
  kDone,
};

// Of a dump of internet or UNIX sockets: adds them. Error: kMalformed; the kernel's refusal as
// ErrnoError; kUnavailable when the tables changed so that the answer has holes (NLM_F_DUMP_INTR).
Expected<NetlinkEnd> DecodeSockets(BytesView datagram, SocketProtocol protocol,
                                   std::vector<Socket>& sockets);
// Of a dump of neighbours.
Expected<NetlinkEnd> DecodeNeighbours(BytesView datagram, std::vector<Neighbour>& neighbours);

}  // namespace mig::os
