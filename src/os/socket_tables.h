// The kernel's tables of sockets, neighbours and addresses: what stands in them, and how the files
// below /proc/net write them (proc(5)). The parsers are pure, and take whatever stands there: a
// line that is none of theirs is left out and counted. Reading them is os/sockets.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "os/ip_address.h"

namespace mig::os {

enum class SocketProtocol { kTcp, kUdp, kRaw, kUnix, kPacket };
std::string_view SocketProtocolName(SocketProtocol protocol);  // "tcp"

// The kernel's states of TCP, which other sockets borrow.
enum class SocketState : std::uint8_t {
  kUnknown = 0,
  kEstablished = 1,
  kSynSent = 2,
  kSynReceived = 3,
  kFinWait1 = 4,
  kFinWait2 = 5,
  kTimeWait = 6,
  kClose = 7,
  kCloseWait = 8,
  kLastAck = 9,
  kListen = 10,
  kClosing = 11,
  kNewSynReceived = 12,
};
std::string_view SocketStateName(SocketState state);  // "established", as ss(8) has them

struct Socket {
  SocketProtocol protocol = SocketProtocol::kTcp;
  SocketState state = SocketState::kUnknown;
  bool v6 = false;  // of an IPv6 socket, which may carry IPv4
  IpAddress local, remote;
  std::uint16_t local_port = 0, remote_port = 0;  // kRaw: local_port is the IP protocol's number
  std::string path;                               // kUnix; an abstract name begins with @
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;  // 0: the kernel's own, or nobody has it any more

  // It waits for others: TCP that listens, UDP without a peer, a UNIX socket that listens.
  bool Listens() const;
};

struct SocketTable {
  std::vector<Socket> sockets;
  std::uint64_t malformed = 0;  // lines
};

// /proc/net/{tcp,udp,raw}, and those with a 6.
SocketTable ParseInetSockets(std::string_view text, SocketProtocol protocol, bool v6);
// /proc/net/unix. A path with a line break in it is cut there.
SocketTable ParseUnixSockets(std::string_view text);
// /proc/net/packet: who sees what goes over the wire.
SocketTable ParsePacketSockets(std::string_view text);

struct Neighbour {
  IpAddress address;
  std::string mac;    // "00:16:3e:12:34:56"; empty: not known (yet)
  std::string state;  // "reachable", as ip-neighbour(8) has them; empty: not told
};

// /proc/net/arp, which has IPv4 only.
std::vector<Neighbour> ParseArpTable(std::string_view text, std::uint64_t* malformed);

// The machine's own addresses in /proc/net/fib_trie and /proc/net/if_inet6.
std::vector<IpAddress> ParseFibTrie(std::string_view text);
std::vector<IpAddress> ParseIfInet6(std::string_view text);

// 6 bytes, or as many as a link layer has: "00:16:3e:12:34:56".
std::string MacText(std::string_view bytes);

}  // namespace mig::os
