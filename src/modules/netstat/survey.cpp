#include "modules/netstat/survey.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace mig::netstat {
namespace {

constexpr std::size_t kMostExamples = 10;
constexpr const char* kOwnFolder = "/proc/self/net";

struct Table {
  os::SocketProtocol protocol;
  bool v6;
};
constexpr Table kTables[] = {
    {os::SocketProtocol::kTcp, false},  {os::SocketProtocol::kTcp, true},
    {os::SocketProtocol::kUdp, false},  {os::SocketProtocol::kUdp, true},
    {os::SocketProtocol::kRaw, false},  {os::SocketProtocol::kRaw, true},
    {os::SocketProtocol::kUnix, false}, {os::SocketProtocol::kPacket, false},
};

using Key = std::tuple<os::SocketProtocol, bool, os::IpAddress, std::uint16_t, os::IpAddress,
                       std::uint16_t, std::uint64_t>;
Key KeyOf(const os::Socket& socket) {
  return {socket.protocol, socket.v6,          socket.local, socket.local_port,
          socket.remote,   socket.remote_port, socket.inode};
}

std::set<Key> KeysOf(const std::vector<os::Socket>& sockets) {
  std::set<Key> keys;
  for (const os::Socket& socket : sockets) keys.insert(KeyOf(socket));
  return keys;
}

void Note(std::vector<std::string>& examples, std::uint64_t& count, const os::Socket& socket) {
  ++count;
  if (examples.size() < kMostExamples) examples.push_back(InWords(socket));
}

std::vector<os::Socket> FromFiles(const std::string& folder, const Table& table, Gaps& gaps) {
  auto read = os::SocketsByFiles(folder, table.protocol, table.v6);
  if (!read) {
    gaps.reasons.push_back(read.error().message());
    return {};
  }
  gaps.malformed += read->malformed;
  return std::move(read->sockets);
}

void SurveySockets(const Table& table, Survey& survey, Disagreement& disagreement, Gaps& gaps) {
  const std::vector<os::Socket> before = FromFiles(kOwnFolder, table, gaps);
  // The kernel tells of these in its files alone, or only with a module that is rarely there.
  const bool asked =
      table.protocol != os::SocketProtocol::kPacket && table.protocol != os::SocketProtocol::kRaw;
  if (asked) {
    auto netlink = os::SocketsByNetlink(table.protocol, table.v6);
    if (netlink) {
      Gaps again;  // the same gaps as before
      const std::vector<os::Socket> after = FromFiles(kOwnFolder, table, again);
      for (SeenSocket& one : Join(*netlink, before, after, disagreement)) {
        survey.sockets.push_back(std::move(one));
      }
      return;
    }
    gaps.reasons.push_back(std::string(os::SocketProtocolName(table.protocol)) +
                           (table.v6 ? "6: " : ": ") + netlink.error().message() +
                           "; seen in /proc alone");
  }
  for (const os::Socket& socket : before) survey.sockets.push_back({socket, Evidence::kFiles});
}

}  // namespace

std::string_view EvidenceName(Evidence evidence) {
  constexpr std::string_view kNames[] = {"netlink", "procfs", "both"};
  return kNames[static_cast<std::size_t>(evidence)];
}

std::string InWords(const os::Socket& socket) {
  std::string text(os::SocketProtocolName(socket.protocol));
  if (socket.protocol == os::SocketProtocol::kUnix) {
    text += " " + socket.path;
  } else {
    text += " " + socket.local.Text() + ":" + std::to_string(socket.local_port) + " " +
            socket.remote.Text() + ":" + std::to_string(socket.remote_port);
  }
  return text + " inode " + std::to_string(socket.inode);
}

std::vector<SeenSocket> Join(const std::vector<os::Socket>& netlink,
                             const std::vector<os::Socket>& before,
                             const std::vector<os::Socket>& after, Disagreement& disagreement) {
  const std::set<Key> in_netlink = KeysOf(netlink), in_before = KeysOf(before),
                      in_after = KeysOf(after);
  std::vector<SeenSocket> seen;
  for (const os::Socket& socket : netlink) {
    const Key key = KeyOf(socket);
    const bool in_files = in_before.contains(key) || in_after.contains(key);
    seen.push_back({socket, in_files ? Evidence::kBoth : Evidence::kNetlink});
    // The files have the socket's user where netlink may not (UNIX sockets).
    if (socket.inode == 0) continue;
    ++disagreement.compared;
    if (!in_files) Note(disagreement.netlink_only, disagreement.netlink_count, socket);
  }
  for (const os::Socket& socket : before) {
    const Key key = KeyOf(socket);
    if (in_netlink.contains(key)) continue;
    seen.push_back({socket, Evidence::kFiles});
    if (socket.inode == 0 || !in_after.contains(key)) continue;
    ++disagreement.compared;
    Note(disagreement.files_only, disagreement.files_count, socket);
  }
  return seen;
}

Survey SurveyHere(const Wanted& wanted, Disagreement& disagreement, Gaps& gaps) {
  Survey survey;
  if (wanted.sockets) {
    for (const Table& table : kTables) SurveySockets(table, survey, disagreement, gaps);
  }
  if (wanted.neighbours) {
    if (auto neighbours = os::NeighboursByNetlink()) {
      survey.neighbours = std::move(*neighbours);
    } else if (auto arp = os::NetTable(kOwnFolder, "arp")) {
      survey.neighbours = os::ParseArpTable(*arp, &gaps.malformed);
      gaps.reasons.push_back("neighbours: " + neighbours.error().message() + "; IPv4 alone");
    } else {
      gaps.reasons.push_back("neighbours: " + neighbours.error().message());
    }
  }
  if (wanted.interfaces) {
    if (auto interfaces = os::Interfaces()) {
      survey.interfaces = std::move(*interfaces);
    } else {
      gaps.reasons.push_back(interfaces.error().message());
    }
  }
  return survey;
}

Survey SurveyThere(const std::string& net_folder, const std::string& name, const Wanted& wanted,
                   Gaps& gaps) {
  Survey survey;
  const auto table = [&](const char* file) -> std::string {
    auto text = os::NetTable(net_folder, file);
    if (text) return std::move(*text);
    if (text.error().code() != Errc::kNotFound) gaps.reasons.push_back(text.error().message());
    return {};
  };
  if (wanted.sockets) {
    for (const Table& one : kTables) {
      for (os::Socket& socket : FromFiles(net_folder, one, gaps)) {
        survey.sockets.push_back({std::move(socket), Evidence::kFiles});
      }
    }
  }
  if (wanted.neighbours) {
    survey.neighbours = os::ParseArpTable(table("arp"), &gaps.malformed);
    gaps.reasons.push_back("neighbours over IPv6 in " + name + ": not in /proc");
  }
  if (wanted.interfaces) {
    os::Interface all;
    all.addresses = os::ParseFibTrie(table("fib_trie"));
    for (const os::IpAddress& address : os::ParseIfInet6(table("if_inet6"))) {
      all.addresses.push_back(address);
    }
    survey.interfaces.push_back(std::move(all));
    gaps.reasons.push_back("MAC addresses of " + name + ": not in /proc");
  }
  return survey;
}

}  // namespace mig::netstat
