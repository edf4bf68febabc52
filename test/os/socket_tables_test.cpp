// Captures of /proc/net (Linux 6.18, Debian 12; the addresses are those of documentation), and what
// a hostile machine could have there. Little-endian machines write the words of addresses so.
#include "os/socket_tables.h"

#include <bit>
#include <catch2/catch.hpp>

#include "test/skip.h"

using namespace mig;
using namespace mig::os;

namespace {

constexpr std::string_view kTcp =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode"
    "                                                     \n"
    "   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 "
    "2101 "
    "1 ffff8a1c01b40000 100 0 0 10 0                    \n"
    "   1: 070200C0:0016 09716433:C3CA 01 00000000:00000000 02:000A1B2C 00000000     0        0 "
    "31337 "
    "4 ffff8a1c01b48000 20 4 30 10 -1                   \n"
    "   2: 070200C0:B1B2 0A0200C0:01BB 06 00000000:00000000 03:000011F5 00000000     0        0 0 "
    "3 "
    "ffff8a1c0a1b2c3d                                      \n";

constexpr std::string_view kTcp6 =
    "  sl  local_address                         remote_address                        st tx_queue "
    "rx_queue "
    "tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000    33        0 4242 1 ffff8a1c 100 0 0 10 0\n"
    "   1: 0000000000000000FFFF0000070200C0:0050 0000000000000000FFFF000009716433:D431 01 "
    "00000000:00000000 00:00000000 00000000    33        0 4243 1 ffff8a1c 20 4 30 10 -1\n"
    "   2: B80D0120000000000000000001000000:0050 B80D0120000000000000000002000000:D432 01 "
    "00000000:00000000 00:00000000 00000000    33        0 4244 1 ffff8a1c 20 4 30 10 -1\n";

}  // namespace

TEST_CASE("socket tables: /proc/net/tcp has ends, state, user and inode", "[os]") {
  if (std::endian::native != std::endian::little) MIG_SKIP("captured on a little-endian machine");
  const SocketTable table = ParseInetSockets(kTcp, SocketProtocol::kTcp, false);
  CHECK(table.malformed == 0);
  REQUIRE(table.sockets.size() == 3);
  CHECK(table.sockets[0].local.Text() == "127.0.0.1");
  CHECK(table.sockets[0].local_port == 3306);
  CHECK(table.sockets[0].Listens());
  CHECK(table.sockets[0].uid == 999);
  CHECK(table.sockets[0].inode == 2101);
  CHECK(table.sockets[1].remote.Text() == "51.100.113.9");
  CHECK(table.sockets[1].remote_port == 50122);
  CHECK(SocketStateName(table.sockets[1].state) == "established");
  CHECK_FALSE(table.sockets[1].Listens());
  CHECK(SocketStateName(table.sockets[2].state) == "time-wait");
  CHECK(table.sockets[2].inode == 0);
}

TEST_CASE("socket tables: IPv6 sockets that carry IPv4 say so by their addresses", "[os]") {
  if (std::endian::native != std::endian::little) MIG_SKIP("captured on a little-endian machine");
  const SocketTable table = ParseInetSockets(kTcp6, SocketProtocol::kTcp, true);
  REQUIRE(table.sockets.size() == 3);
  CHECK(table.sockets[0].local.Text() == "::");
  CHECK(table.sockets[1].local.Text() == "192.0.2.7");
  CHECK(table.sockets[1].remote.Text() == "51.100.113.9");
  CHECK(table.sockets[1].v6);
  CHECK(table.sockets[2].remote.Text() == "2001:db8::2");
}

TEST_CASE("socket tables: UDP without a peer waits", "[os]") {
  const SocketTable table = ParseInetSockets(
      "heading\n"
      " 1043: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 18 2 f 0\n"
      " 1044: 00000000:9999 01010101:0035 01 00000000:00000000 00:00000000 00000000 0 0 19 2 f 0\n",
      SocketProtocol::kUdp, false);
  REQUIRE(table.sockets.size() == 2);
  CHECK(table.sockets[0].Listens());
  CHECK_FALSE(table.sockets[1].Listens());
}

TEST_CASE("socket tables: lines that are none are counted", "[os]") {
  for (const char* line :
       {"garbage", "0: x y 0A 0 0 0 0 0 1", "0: 0100007F:0CEA 00000000:0000 0A 0:0 0:0 0 0 0",
        "0: 0100007F 00000000:0000 0A 0:0 0:0 0 0 0 1",
        "0: 0100007:0CEA 00000000:0000 0A 0:0 0:0 0 0 0 1",
        "0: 0100007F:10CEA 00000000:0000 0A 0:0 0:0 0 0 0 1",
        "0: 0100007F:0CEA 00000000:0000 XX 0:0 0:0 0 0 0 1",
        "0: 0100007F:0CEA 00000000:0000 0A 0:0 0:0 0 -1 0 1",
        "0: 0100007F:0CEA 00000000:0000 0A 0:0 0:0 0 0 0 99999999999999999999"}) {
    INFO(line);
    const SocketTable table =
        ParseInetSockets(std::string("heading\n") + line, SocketProtocol::kTcp, false);
    CHECK(table.sockets.empty());
    CHECK(table.malformed == 1);
  }
  const SocketTable strange = ParseInetSockets(
      "heading\n0: 0100007F:0CEA 00000000:0000 F7 0:0 0:0 0 0 0 1\n", SocketProtocol::kTcp, false);
  REQUIRE(strange.sockets.size() == 1);
  CHECK(strange.sockets[0].state == SocketState::kUnknown);
}

TEST_CASE("socket tables: UNIX sockets have paths of any bytes", "[os]") {
  const SocketTable table = ParseUnixSockets(
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "ffff9b0a: 00000002 00000000 00010000 0001 01 21035 /run/a b  c\n"
      "ffff9b0b: 00000003 00000000 00000000 0001 03 21036\n"
      "ffff9b0c: 00000002 00000000 00000000 0002 01 21037 @abstract\n"
      "a line that a path with a line break has made\n");
  CHECK(table.malformed == 1);
  REQUIRE(table.sockets.size() == 3);
  CHECK(table.sockets[0].path == "/run/a b  c");
  CHECK(table.sockets[0].Listens());
  CHECK(table.sockets[1].path.empty());
  CHECK(table.sockets[1].state == SocketState::kEstablished);
  CHECK(table.sockets[2].path == "@abstract");
  CHECK(table.sockets[2].state == SocketState::kClose);
}

TEST_CASE("socket tables: packet sockets are told", "[os]") {
  const SocketTable table = ParsePacketSockets(
      "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
      "ffff8a1c01b40000 3      3    0003   2     1 0      0      41123\n"
      "short\n");
  REQUIRE(table.sockets.size() == 1);
  CHECK(table.sockets[0].inode == 41123);
  CHECK(table.malformed == 1);
}

TEST_CASE("socket tables: neighbours without an answer have no MAC", "[os]") {
  std::uint64_t malformed = 0;
  const auto neighbours = ParseArpTable(
      "IP address       HW type     Flags       HW address            Mask     Device\n"
      "192.0.2.1        0x1         0x2         02:fc:00:00:00:05     *        eth0\n"
      "192.0.2.9        0x1         0x0         00:00:00:00:00:00     *        eth0\n"
      "nonsense\n",
      &malformed);
  REQUIRE(neighbours.size() == 2);
  CHECK(neighbours[0].mac == "02:fc:00:00:00:05");
  CHECK(neighbours[1].mac.empty());
  CHECK(malformed == 1);
}

TEST_CASE("socket tables: the machine's addresses are those that are local", "[os]") {
  const auto addresses = ParseFibTrie(
      "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
      "     +-- 192.0.2.0/24 2 0 2\n        |-- 192.0.2.0\n           /24 link UNICAST\n"
      "        |-- 192.0.2.7\n           /32 host LOCAL\n        |-- 192.0.2.255\n"
      "           /32 link BROADCAST\nLocal:\n        |-- 192.0.2.7\n           /32 host LOCAL\n"
      "           /32 host LOCAL\n     |-- bad\n           /32 host LOCAL\n");
  REQUIRE(addresses.size() == 1);
  CHECK(addresses[0].Text() == "192.0.2.7");
  const auto v6 = ParseIfInet6(
      "20010db8000000000000000000000007 02 40 00 80     eth0\n"
      "zz010db8000000000000000000000007 02 40 00 80     eth0\nshort 1 2 3 4 5\n");
  REQUIRE(v6.size() == 1);
  CHECK(v6[0].Text() == "2001:db8::7");
}
