#include "os/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "os/file_status.h"
#include "os/files.h"
#include "os/netlink_messages.h"
#include "util/text.h"

namespace mig::os {
namespace {

constexpr std::size_t kDatagram = std::size_t{64} << 10;
constexpr int kTries = 5;
constexpr std::chrono::seconds kAnswerTime{10};

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// Asks for one dump, and hands each datagram of the answer to `decode`.
template <typename Request, typename Decode>
Expected<void> Dump(int family, std::uint16_t type, const Request& request, const Decode& decode) {
  const FileDescriptor netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family));
  if (!netlink.valid()) return ErrnoError(errno, "netlink");
  struct {
    nlmsghdr head;
    Request body;
  } message{};
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = type;
  message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.head.nlmsg_seq = 1;
  message.body = request;
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(netlink.get(), &message, sizeof message, 0, reinterpret_cast<sockaddr*>(&kernel),
               sizeof kernel) != static_cast<ssize_t>(sizeof message)) {
    return ErrnoError(errno, "netlink");
  }
  std::vector<char> buffer(kDatagram);
  const auto deadline = std::chrono::steady_clock::now() + kAnswerTime;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{netlink.get(), POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return ErrnoError(errno, "netlink");
    if (ready == 0) return Error(Errc::kTimeout, "netlink: the kernel does not answer");
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t got = ::recvfrom(netlink.get(), buffer.data(), buffer.size(), MSG_TRUNC,
                                   reinterpret_cast<sockaddr*>(&from), &from_size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, "netlink");
    if (static_cast<std::size_t>(got) > buffer.size()) {
      return Error(Errc::kMalformed, "netlink: a datagram of more than 64 KiB");
    }
    if (from.nl_pid != 0) continue;  // not from the kernel
    auto end = decode(BytesView(buffer.data(), static_cast<std::size_t>(got)));
    if (!end) return std::move(end).error();
    if (*end == NetlinkEnd::kDone) return {};
  }
}

// Again, while the tables change under it.
template <typename Item, typename Ask>
Expected<std::vector<Item>> Repeat(const Ask& ask) {
  for (int tries = 1;; ++tries) {
    std::vector<Item> items;
    auto done = ask(items);
    if (done) return items;
    if (done.error().code() != Errc::kUnavailable || tries == kTries) {
      return std::move(done).error();
    }
  }
}

std::uint8_t NumberOf(SocketProtocol protocol) {
  return protocol == SocketProtocol::kTcp   ? IPPROTO_TCP
         : protocol == SocketProtocol::kUdp ? IPPROTO_UDP
                                            : IPPROTO_RAW;
}

struct Seen {
  std::string name, executable;
  bool read = false;
};

}  // namespace

Expected<std::vector<Socket>> SocketsByNetlink(SocketProtocol protocol, bool v6) {
  return Repeat<Socket>([&](std::vector<Socket>& sockets) -> Expected<void> {
    const auto decode = [&](BytesView datagram) {
      return DecodeSockets(datagram, protocol, sockets);
    };
    if (protocol == SocketProtocol::kUnix) {
      unix_diag_req request{};
      request.sdiag_family = AF_UNIX;
      request.udiag_states = ~0u;
      request.udiag_show = UDIAG_SHOW_NAME;
      return Dump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, decode);
    }
    inet_diag_req_v2 request{};
    request.sdiag_family = v6 ? AF_INET6 : AF_INET;
    request.sdiag_protocol = NumberOf(protocol);
    request.idiag_states = ~0u;
    return Dump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, request, decode);
  });
}

Expected<std::vector<Neighbour>> NeighboursByNetlink() {
  return Repeat<Neighbour>([](std::vector<Neighbour>& neighbours) -> Expected<void> {
    return Dump(NETLINK_ROUTE, RTM_GETNEIGH, ndmsg{},
                [&](BytesView datagram) { return DecodeNeighbours(datagram, neighbours); });
  });
}

Expected<std::string> NetTable(const std::string& net_folder, const std::string& name) {
  // Not ReadFile of os/files.h: these have no size, and grow while they are read.
  const std::string path = net_folder + "/" + name;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoError(errno, "open " + path);
  constexpr std::size_t kMost = std::size_t{256} << 20;
  std::string text;
  std::vector<char> buffer(kDatagram);
  for (;;) {
    auto count = ReadSome(file, buffer.data(), buffer.size());
    if (!count) return std::move(count).error().During(path);
    if (*count == 0) return text;
    text.append(buffer.data(), *count);
    if (text.size() > kMost) return Error(Errc::kFull, path + ": more than 256 MiB");
  }
}

Expected<SocketTable> SocketsByFiles(const std::string& net_folder, SocketProtocol protocol,
                                     bool v6) {
  std::string name(SocketProtocolName(protocol));
  if (v6) name += "6";
  auto text = NetTable(net_folder, name);
  if (!text && text.error().code() == Errc::kNotFound) return SocketTable{};
  if (!text) return std::move(text).error();
  if (protocol == SocketProtocol::kUnix) return ParseUnixSockets(*text);
  if (protocol == SocketProtocol::kPacket) return ParsePacketSockets(*text);
  return ParseInetSockets(*text, protocol, v6);
}

Expected<std::vector<Interface>> Interfaces() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return ErrnoError(errno, "interfaces");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(first, ::freeifaddrs);
  std::vector<Interface> interfaces;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_name == nullptr) continue;
    auto known = std::find_if(interfaces.begin(), interfaces.end(),
                              [&](const Interface& other) { return other.name == one->ifa_name; });
    if (known == interfaces.end()) known = interfaces.insert(known, {one->ifa_name, "", {}});
    if (one->ifa_addr == nullptr) continue;
    if (one->ifa_addr->sa_family == AF_PACKET) {
      const auto& link = *reinterpret_cast<const sockaddr_ll*>(one->ifa_addr);
      const std::size_t size = std::min<std::size_t>(link.sll_halen, sizeof link.sll_addr);
      const BytesView mac(reinterpret_cast<const char*>(link.sll_addr), size);
      // The loopback's are zeros.
      if (mac.find_first_not_of('\0') != mac.npos) known->mac = MacText(mac);
    } else if (one->ifa_addr->sa_family == AF_INET) {
      const auto& address = *reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      known->addresses.push_back(
          IpAddress::FromBytes(BytesView(reinterpret_cast<const char*>(&address.sin_addr), 4)));
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto& address = *reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      known->addresses.push_back(
          IpAddress::FromBytes(BytesView(reinterpret_cast<const char*>(&address.sin6_addr), 16)));
    }
  }
  return interfaces;
}

Expected<SocketOwners> ReadSocketOwners(bool with_owners) {
  SocketOwners owners;
  if (auto own = LinkTargetAt(AT_FDCWD, "/proc/self/ns/net")) owners.own_namespace = *own;
  const Folder processes(::opendir("/proc"));
  if (processes == nullptr) return ErrnoError(errno, "open /proc");
  while (const dirent* entry = ::readdir(processes.get())) {
    if (!IsNumber(entry->d_name)) continue;
    const std::string folder = "/proc/" + std::string(entry->d_name);
    const int pid = std::stoi(entry->d_name);
    ++owners.processes;
    bool told = false;
    const auto unreadable = [&](const Error& error) {
      // Gone in the meantime is not refused.
      if (error.code() == Errc::kNotFound || std::exchange(told, true)) return;
      if (++owners.unreadable == 1) owners.first_unreadable = folder + ": " + error.message();
    };
    const auto space = LinkTargetAt(AT_FDCWD, (folder + "/ns/net").c_str());
    if (space) {
      owners.namespaces[*space].push_back(pid);
    } else {
      unreadable(space.error());
    }
    if (!with_owners) continue;
    const Folder files(::opendir((folder + "/fd").c_str()));
    if (files == nullptr) {
      unreadable(ErrnoError(errno, "open fd"));
      continue;
    }
    Seen seen;
    while (const dirent* file = ::readdir(files.get())) {
      if (!IsNumber(file->d_name)) continue;
      const auto target = LinkTargetAt(::dirfd(files.get()), file->d_name);
      if (!target) unreadable(target.error());
      if (!target || !target->starts_with("socket:[") || !target->ends_with(']')) continue;
      const std::string number = target->substr(8, target->size() - 9);
      if (!IsNumber(number) || number.size() > 19) continue;
      if (!seen.read) {
        seen.read = true;
        if (auto name = NetTable(folder, "comm")) seen.name = std::string(Trim(*name));
        if (auto executable = LinkTargetAt(AT_FDCWD, (folder + "/exe").c_str())) {
          seen.executable = std::move(*executable);
        }
      }
      std::vector<SocketOwner>& of_inode = owners.by_inode[std::stoull(number)];
      if (of_inode.empty() || of_inode.back().pid != pid) {
        of_inode.push_back({pid, seen.name, seen.executable});
      }
    }
  }
  return owners;
}

}  // namespace mig::os
