#include <linux/inet_diag.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/files.h"
#include "os/netlink_messages.h"

namespace mig::os {
namespace {

Error Broken(std::string_view why) {
  return Error(Errc::kMalformed, "netlink: " + std::string(why));
}

// The structure at the beginning of `bytes`; false when they are too few.
template <typename Structure>
bool ReadInto(BytesView bytes, Structure& structure) {
  if (bytes.size() < sizeof structure) return false;
  std::memcpy(&structure, bytes.data(), sizeof structure);
  return true;
}

constexpr std::size_t Aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// Calls `take(type, payload)` for each attribute. False: they are broken.
template <typename Take>
bool ForAttributes(BytesView bytes, const Take& take) {
  while (!bytes.empty()) {
    nlattr head{};
    if (!ReadInto(bytes, head)) return bytes.size() < sizeof head;
    if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return false;
    take(head.nla_type & NLA_TYPE_MASK, bytes.substr(sizeof head, head.nla_len - sizeof head));
    bytes.remove_prefix(std::min(Aligned(head.nla_len), bytes.size()));
  }
  return true;
}

// Calls `take(payload)`, which may refuse, for each message of a type.
template <typename Take>
Expected<NetlinkEnd> ForMessages(BytesView datagram, std::uint16_t type, const Take& take) {
  while (!datagram.empty()) {
    nlmsghdr head{};
    if (!ReadInto(datagram, head) || head.nlmsg_len < sizeof head ||
        head.nlmsg_len > datagram.size()) {
      return Broken("a message's length is wrong");
    }
    const BytesView payload = datagram.substr(sizeof head, head.nlmsg_len - sizeof head);
    datagram.remove_prefix(std::min(Aligned(head.nlmsg_len), datagram.size()));
    if ((head.nlmsg_flags & NLM_F_DUMP_INTR) != 0) {
      return Error(Errc::kUnavailable, "netlink: the tables changed meanwhile");
    }
    if (head.nlmsg_type == NLMSG_DONE) return NetlinkEnd::kDone;
    if (head.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr error{};
      if (!ReadInto(payload, error)) return Broken("an error without its number");
      if (error.error == 0) return NetlinkEnd::kDone;
      return ErrnoError(error.error < 0 && error.error > -4096 ? -error.error : EIO, "netlink");
    }
    if (head.nlmsg_type == type && !take(payload)) return Broken("a message is too short");
  }
  return NetlinkEnd::kMore;
}

std::uint16_t Port(std::uint16_t network_order) {
  std::array<unsigned char, 2> bytes{};
  std::memcpy(bytes.data(), &network_order, sizeof network_order);
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

SocketState StateOf(std::uint8_t number) {
  return number <= static_cast<std::uint8_t>(SocketState::kNewSynReceived)
             ? static_cast<SocketState>(number)
             : SocketState::kUnknown;
}

bool AddInetSocket(BytesView payload, SocketProtocol protocol, std::vector<Socket>& sockets) {
  inet_diag_msg message{};
  if (!ReadInto(payload, message)) return false;
  Socket socket;
  socket.protocol = protocol;
  socket.v6 = message.idiag_family == AF_INET6;
  socket.state = StateOf(message.idiag_state);
  const std::size_t size = socket.v6 ? 16 : 4;
  const auto address = [&](const auto& words) {
    return IpAddress::FromBytes(BytesView(reinterpret_cast<const char*>(words), size));
  };
  socket.local = address(message.id.idiag_src);
  socket.remote = address(message.id.idiag_dst);
  socket.local_port = Port(message.id.idiag_sport);
  socket.remote_port = Port(message.id.idiag_dport);
  socket.uid = message.idiag_uid;
  socket.inode = message.idiag_inode;
  sockets.push_back(std::move(socket));
  return true;
}

bool AddUnixSocket(BytesView payload, std::vector<Socket>& sockets) {
  unix_diag_msg message{};
  if (!ReadInto(payload, message)) return false;
  Socket socket;
  socket.protocol = SocketProtocol::kUnix;
  socket.state = StateOf(message.udiag_state);
  socket.inode = message.udiag_ino;
  const bool whole = ForAttributes(payload.substr(sizeof message), [&](int type, BytesView value) {
    if (type != UNIX_DIAG_NAME) return;
    socket.path = value;
    // An abstract name begins with NUL, and may have more; a path ends with one.
    if (socket.path.starts_with('\0')) {
      for (char& c : socket.path) c = c == '\0' ? '@' : c;
    } else {
      socket.path.resize(std::min(socket.path.find('\0'), socket.path.size()));
    }
  });
  if (whole) sockets.push_back(std::move(socket));
  return whole;
}

std::string_view NeighbourState(std::uint16_t state) {
  struct Name {
    std::uint16_t bit;
    std::string_view name;
  };
  constexpr Name kNames[] = {{NUD_PERMANENT, "permanent"}, {NUD_REACHABLE, "reachable"},
                             {NUD_STALE, "stale"},         {NUD_DELAY, "delay"},
                             {NUD_PROBE, "probe"},         {NUD_INCOMPLETE, "incomplete"},
                             {NUD_FAILED, "failed"}};
  for (const Name& one : kNames) {
    if ((state & one.bit) != 0) return one.name;
  }
  return "";
}

bool AddNeighbour(BytesView payload, std::vector<Neighbour>& neighbours) {
  ndmsg message{};
  if (!ReadInto(payload, message)) return false;
  Neighbour neighbour;
  bool addressed = false;
  const bool whole =
      ForAttributes(payload.substr(Aligned(sizeof message)), [&](int type, BytesView value) {
        if (type == NDA_DST && (value.size() == 4 || value.size() == 16)) {
          neighbour.address = IpAddress::FromBytes(value);
          addressed = true;
        } else if (type == NDA_LLADDR) {
          neighbour.mac = MacText(value);
        }
      });
  // Multicast and the like are rules of ours, not somebody on the wire.
  const bool somebody = (message.ndm_state & NUD_NOARP) == 0 && message.ndm_state != NUD_NONE;
  neighbour.state = NeighbourState(message.ndm_state);
  if (whole && addressed && somebody) neighbours.push_back(std::move(neighbour));
  return whole;
}

}  // namespace

Expected<NetlinkEnd> DecodeSockets(BytesView datagram, SocketProtocol protocol,
                                   std::vector<Socket>& sockets) {
  return ForMessages(datagram, SOCK_DIAG_BY_FAMILY, [&](BytesView payload) {
    return protocol == SocketProtocol::kUnix ? AddUnixSocket(payload, sockets)
                                             : AddInetSocket(payload, protocol, sockets);
  });
}

Expected<NetlinkEnd> DecodeNeighbours(BytesView datagram, std::vector<Neighbour>& neighbours) {
  return ForMessages(datagram, RTM_NEWNEIGH,
                     [&](BytesView payload) { return AddNeighbour(payload, neighbours); });
}

}  // namespace mig::os
