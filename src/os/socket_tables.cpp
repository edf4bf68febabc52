#include "os/socket_tables.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "util/encoding.h"
#include "util/text.h"

namespace mig::os {
namespace {

constexpr std::string_view kProtocols[] = {"tcp", "udp", "raw", "unix", "packet"};
constexpr std::string_view kStates[] = {
    "unknown", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2",  "time-wait",
    "close",   "close-wait",  "last-ack", "listen",   "closing",    "new-syn-recv"};

template <typename Number>
std::optional<Number> NumberIn(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The words of a line, however many spaces are between them.
std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(" \t"); at != line.npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return words;
}

// "0100007F": words of four bytes in the machine's own order, each of which holds network order.
std::optional<IpAddress> HexAddress(std::string_view text) {
  if (text.size() != 8 && text.size() != 32) return std::nullopt;
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += 8) {
    const auto word = NumberIn<std::uint32_t>(text.substr(at, 8), 16);
    if (!word) return std::nullopt;
    char raw[sizeof *word];
    std::memcpy(raw, &*word, sizeof raw);
    bytes.append(raw, sizeof raw);
  }
  return IpAddress::FromBytes(bytes);
}

// "0100007F:0CEA"
bool ReadEndpoint(std::string_view text, IpAddress* address, std::uint16_t* port) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return false;
  const auto found = HexAddress(text.substr(0, colon));
  const auto number = NumberIn<std::uint16_t>(text.substr(colon + 1), 16);
  if (!found || !number) return false;
  *address = *found;
  *port = *number;
  return true;
}

std::optional<Socket> InetSocket(std::string_view line, SocketProtocol protocol, bool v6) {
  const std::vector<std::string_view> words = Words(line);
  if (words.size() < 10 || !words[0].ends_with(':')) return std::nullopt;
  Socket socket;
  socket.protocol = protocol;
  socket.v6 = v6;
  const auto state = NumberIn<std::uint8_t>(words[3], 16);
  const auto uid = NumberIn<std::uint32_t>(words[7]);
  const auto inode = NumberIn<std::uint64_t>(words[9]);
  if (!ReadEndpoint(words[1], &socket.local, &socket.local_port) ||
      !ReadEndpoint(words[2], &socket.remote, &socket.remote_port) || !state || !uid || !inode) {
    return std::nullopt;
  }
  socket.state =
      *state < std::size(kStates) ? static_cast<SocketState>(*state) : SocketState::kUnknown;
  socket.uid = *uid;
  socket.inode = *inode;
  return socket;
}

// "ffff9b0a: 00000002 00000000 00010000 0001 01 21035 /run/x"
std::optional<Socket> UnixSocket(std::string_view line) {
  const std::vector<std::string_view> words = Words(line);
  if (words.size() < 7 || !words[0].ends_with(':')) return std::nullopt;
  const auto flags = NumberIn<std::uint64_t>(words[3], 16);
  const auto state = NumberIn<std::uint32_t>(words[5], 16);
  const auto inode = NumberIn<std::uint64_t>(words[6]);
  if (!flags || !state || !inode) return std::nullopt;
  Socket socket;
  socket.protocol = SocketProtocol::kUnix;
  constexpr std::uint64_t kAcceptsConnections = 0x10000;
  constexpr std::uint32_t kConnected = 3;
  socket.state = (*flags & kAcceptsConnections) != 0 ? SocketState::kListen
                 : *state == kConnected              ? SocketState::kEstablished
                                                     : SocketState::kClose;
  socket.inode = *inode;
  if (words.size() > 7) {  // the rest of the line, with its spaces
    socket.path = line.substr(static_cast<std::size_t>(words[7].data() - line.data()));
  }
  return socket;
}

// "ffff9b0a 3 3 0003 2 1 0 0 41123"
std::optional<Socket> PacketSocket(std::string_view line) {
  const std::vector<std::string_view> words = Words(line);
  if (words.size() != 9) return std::nullopt;
  const auto uid = NumberIn<std::uint32_t>(words[7]);
  const auto inode = NumberIn<std::uint64_t>(words[8]);
  if (!uid || !inode) return std::nullopt;
  Socket socket;
  socket.protocol = SocketProtocol::kPacket;
  socket.uid = *uid;
  socket.inode = *inode;
  return socket;
}

// Calls `read` for each line but the heading.
template <typename Read>
SocketTable Lines(std::string_view text, const Read& read) {
  SocketTable table;
  bool heading = true;
  for (const std::string_view line : Split(text, '\n')) {
    if (std::exchange(heading, false) || line.empty()) continue;
    if (auto socket = read(line)) {
      table.sockets.push_back(std::move(*socket));
    } else {
      ++table.malformed;
    }
  }
  return table;
}

}  // namespace

std::string_view SocketProtocolName(SocketProtocol protocol) {
  return kProtocols[static_cast<std::size_t>(protocol)];
}

std::string_view SocketStateName(SocketState state) {
  return kStates[static_cast<std::size_t>(state)];
}

bool Socket::Listens() const {
  if (protocol == SocketProtocol::kUdp) return remote_port == 0;
  return state == SocketState::kListen;
}

SocketTable ParseInetSockets(std::string_view text, SocketProtocol protocol, bool v6) {
  return Lines(text, [&](std::string_view line) { return InetSocket(line, protocol, v6); });
}

SocketTable ParseUnixSockets(std::string_view text) { return Lines(text, UnixSocket); }

SocketTable ParsePacketSockets(std::string_view text) { return Lines(text, PacketSocket); }

std::vector<Neighbour> ParseArpTable(std::string_view text, std::uint64_t* malformed) {
  std::vector<Neighbour> neighbours;
  bool heading = true;
  for (const std::string_view line : Split(text, '\n')) {
    if (std::exchange(heading, false) || line.empty()) continue;
    // IP address, HW type, Flags, HW address, Mask, Device
    const std::vector<std::string_view> words = Words(line);
    const auto address = words.size() < 6 ? std::nullopt : IpAddress::Parse(words[0]);
    const auto flags = words.size() < 6 || !words[2].starts_with("0x")
                           ? std::nullopt
                           : NumberIn<std::uint32_t>(words[2].substr(2), 16);
    if (!address || !flags) {
      ++*malformed;
      continue;
    }
    constexpr std::uint32_t kComplete = 2;
    neighbours.push_back({*address, (*flags & kComplete) != 0 ? std::string(words[3]) : "", ""});
  }
  return neighbours;
}

// Each "|-- 192.0.2.7" is followed by what the kernel does with it: "/32 host LOCAL" is ours.
std::vector<IpAddress> ParseFibTrie(std::string_view text) {
  std::vector<IpAddress> addresses;
  std::optional<IpAddress> last;
  for (const std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> words = Words(line);
    if (words.size() == 2 && words[0] == "|--") {
      last = IpAddress::Parse(words[1]);
    } else if (words.size() == 3 && words[0] == "/32" && words[1] == "host" &&
               words[2] == "LOCAL" && last &&
               std::find(addresses.begin(), addresses.end(), *last) == addresses.end()) {
      addresses.push_back(*last);
    }
  }
  return addresses;
}

// "fe80000000000000021683fffe123456 02 40 20 80 eth0"
std::vector<IpAddress> ParseIfInet6(std::string_view text) {
  std::vector<IpAddress> addresses;
  for (const std::string_view line : Split(text, '\n')) {
    const std::vector<std::string_view> words = Words(line);
    if (words.size() < 6 || words[0].size() != 32) continue;
    if (const auto bytes = DecodeHex(words[0])) addresses.push_back(IpAddress::FromBytes(*bytes));
  }
  return addresses;
}

std::string MacText(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += (text.empty() ? "" : ":") + EncodeHex(std::string_view(&byte, 1));
  }
  return text;
}

}  // namespace mig::os
