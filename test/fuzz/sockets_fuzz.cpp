// What the kernel says of sockets and neighbours. It is trusted, but names in it are anybody's, and
// a machine that is being investigated may have a kernel that somebody has changed.
#include <cstdint>

#include "modules/netstat/survey.h"
#include "os/netlink_messages.h"
#include "os/socket_tables.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  const BytesView text(reinterpret_cast<const char*>(data), size);
  std::vector<os::Socket> seen;
  for (const bool v6 : {false, true}) {
    for (const os::Socket& one : os::ParseInetSockets(text, os::SocketProtocol::kTcp, v6).sockets) {
      fuzz::Require(os::IpAddress::Parse(one.local.Text()) == one.local, "an address is read back");
      seen.push_back(one);
    }
  }
  for (const os::Socket& one : os::ParseUnixSockets(text).sockets) {
    fuzz::Require(one.path.find('\n') == std::string::npos, "a path ends with its line");
    seen.push_back(one);
  }
  os::ParsePacketSockets(text);
  std::uint64_t malformed = 0;
  os::ParseArpTable(text, &malformed);
  os::ParseFibTrie(text);
  os::ParseIfInet6(text);
  std::vector<os::Socket> sockets;
  (void)os::DecodeSockets(text, os::SocketProtocol::kTcp, sockets);
  (void)os::DecodeSockets(text, os::SocketProtocol::kUnix, sockets);
  fuzz::Require(sockets.size() <= size, "nothing is added");
  std::vector<os::Neighbour> neighbours;
  (void)os::DecodeNeighbours(text, neighbours);
  netstat::Disagreement disagreement;
  const auto joined = netstat::Join(sockets, seen, seen, disagreement);
  fuzz::Require(joined.size() >= sockets.size(), "what netlink says stays");
  fuzz::Require(disagreement.netlink_count + disagreement.files_count <= disagreement.compared,
                "only what was compared disagrees");
  return 0;
}
