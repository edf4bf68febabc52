// Datagrams as the kernel sends them, put together from its own structures, and broken ones.
#include "os/netlink_messages.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <cstring>

using namespace mig;
using namespace mig::os;

namespace {

template <typename Structure>
Bytes BytesOf(const Structure& structure) {
  return Bytes(reinterpret_cast<const char*>(&structure), sizeof structure);
}

Bytes Padded(Bytes bytes) {
  bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
  return bytes;
}

Bytes Message(std::uint16_t type, const Bytes& payload, std::uint16_t flags = 0) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + payload.size());
  head.nlmsg_type = type;
  head.nlmsg_flags = flags;
  return Padded(BytesOf(head) + payload);
}

Bytes Attribute(std::uint16_t type, const Bytes& value) {
  nlattr head{};
  head.nla_len = static_cast<std::uint16_t>(sizeof head + value.size());
  head.nla_type = type;
  return Padded(BytesOf(head) + value);
}

Bytes InetMessage(const char* local, std::uint16_t port) {
  inet_diag_msg message{};
  message.idiag_family = AF_INET;
  message.idiag_state = 10;
  message.id.idiag_sport = htons(port);
  REQUIRE(::inet_pton(AF_INET, local, message.id.idiag_src) == 1);
  message.idiag_uid = 33;
  message.idiag_inode = 4242;
  return Message(SOCK_DIAG_BY_FAMILY, BytesOf(message));
}

Bytes Done() { return Message(NLMSG_DONE, Bytes(4, '\0')); }

}  // namespace

TEST_CASE("netlink: sockets come in several messages until the end", "[os]") {
  std::vector<Socket> sockets;
  auto end = DecodeSockets(InetMessage("192.0.2.7", 80) + InetMessage("192.0.2.8", 443),
                           SocketProtocol::kTcp, sockets);
  REQUIRE(end);
  CHECK(*end == NetlinkEnd::kMore);
  end = DecodeSockets(InetMessage("192.0.2.9", 22) + Done() + InetMessage("192.0.2.10", 1),
                      SocketProtocol::kTcp, sockets);
  REQUIRE(end);
  CHECK(*end == NetlinkEnd::kDone);
  REQUIRE(sockets.size() == 3);
  CHECK(sockets[0].local.Text() == "192.0.2.7");
  CHECK(sockets[0].local_port == 80);
  CHECK(sockets[0].Listens());
  CHECK(sockets[0].uid == 33);
  CHECK(sockets[0].inode == 4242);
}

TEST_CASE("netlink: names of UNIX sockets are paths or abstract", "[os]") {
  const auto path_of = [](const Bytes& name) {
    unix_diag_msg message{};
    message.udiag_state = 10;
    message.udiag_ino = 7;
    std::vector<Socket> sockets;
    REQUIRE(DecodeSockets(
        Message(SOCK_DIAG_BY_FAMILY, BytesOf(message) + Attribute(UNIX_DIAG_NAME, name)),
        SocketProtocol::kUnix, sockets));
    REQUIRE(sockets.size() == 1);
    return sockets[0].path;
  };
  CHECK(path_of(Bytes("/run/x\0", 7)) == "/run/x");
  CHECK(path_of(Bytes("/run/a\nb", 8)) == "/run/a\nb");
  CHECK(path_of(Bytes("\0name\0more", 10)) == "@name@more");
}

TEST_CASE("netlink: neighbours that are rules of ours are left out", "[os]") {
  const auto neighbour = [](std::uint16_t state, const Bytes& attributes) {
    ndmsg message{};
    message.ndm_family = AF_INET;
    message.ndm_state = state;
    return Message(RTM_NEWNEIGH, BytesOf(message) + attributes);
  };
  const Bytes address = Attribute(NDA_DST, Bytes("\xc0\0\2\1", 4));
  const Bytes mac = Attribute(NDA_LLADDR, Bytes("\2\xfc\0\0\0\5", 6));
  std::vector<Neighbour> neighbours;
  REQUIRE(DecodeNeighbours(neighbour(NUD_STALE, address + mac) +
                               neighbour(NUD_NOARP, address + mac) +
                               neighbour(NUD_FAILED, address) + neighbour(NUD_REACHABLE, mac),
                           neighbours));
  REQUIRE(neighbours.size() == 2);
  CHECK(neighbours[0].address.Text() == "192.0.2.1");
  CHECK(neighbours[0].mac == "02:fc:00:00:00:05");
  CHECK(neighbours[0].state == "stale");
  CHECK(neighbours[1].state == "failed");
  CHECK(neighbours[1].mac.empty());
}

TEST_CASE("netlink: what is broken or refused is an error", "[os]") {
  std::vector<Socket> sockets;
  const auto code = [&](const Bytes& datagram) {
    const auto end = DecodeSockets(datagram, SocketProtocol::kTcp, sockets);
    REQUIRE_FALSE(end);
    return end.error().code();
  };
  const Bytes good = InetMessage("192.0.2.7", 80);
  for (std::size_t size = 1; size < good.size(); ++size) {
    INFO(size);
    CHECK(code(good.substr(0, size)) == Errc::kMalformed);
  }
  nlmsgerr refused{};
  refused.error = -ENOENT;
  CHECK(code(Message(NLMSG_ERROR, BytesOf(refused))) == Errc::kNotFound);
  CHECK(code(Message(NLMSG_ERROR, Bytes(2, '\0'))) == Errc::kMalformed);
  CHECK(code(Message(SOCK_DIAG_BY_FAMILY, Bytes(10, '\0'))) == Errc::kMalformed);
  CHECK(code(Message(NLMSG_DONE, Bytes(4, '\0'), NLM_F_DUMP_INTR)) == Errc::kUnavailable);
  refused.error = INT32_MIN;
  CHECK(code(Message(NLMSG_ERROR, BytesOf(refused))) == Errc::kIo);
  unix_diag_msg message{};
  Bytes cut = Attribute(UNIX_DIAG_NAME, "/run/x");
  cut[0] = 3;  // shorter than its own head
  CHECK_FALSE(DecodeSockets(Message(SOCK_DIAG_BY_FAMILY, BytesOf(message) + cut),
                            SocketProtocol::kUnix, sockets));
}
