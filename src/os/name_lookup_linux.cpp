#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>

#include "os/name_lookup.h"
#include "util/text.h"

namespace mig::os {
namespace {

SocketAddress FromV4(in_addr address, std::uint16_t port) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(port);
  raw.sin_addr = address;
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &address, text.data(), text.size());
  return {Bytes(reinterpret_cast<const char*>(&raw), sizeof raw), text.data(), false};
}

SocketAddress FromV6(const in6_addr& address, std::uint32_t scope, std::uint16_t port) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(port);
  raw.sin6_addr = address;
  raw.sin6_scope_id = scope;
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &address, text.data(), text.size());
  return {Bytes(reinterpret_cast<const char*>(&raw), sizeof raw), text.data(), true};
}

}  // namespace

Expected<std::vector<SocketAddress>> LookUpHost(const std::string& host, std::uint16_t port) {
  std::string name = host;
  if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
    name = name.substr(1, name.size() - 2);
  }
  if (LowerAscii(name) == "localhost") {
    return std::vector<SocketAddress>{FromV4({htonl(INADDR_LOOPBACK)}, port),
                                      FromV6(in6addr_loopback, 0, port)};
  }
  // resolver(3) would try each server twice for five seconds.
  ::setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // else every address comes once per socket type
  addrinfo* list = nullptr;
  const int failed = ::getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (failed != 0) {
    return Error(Errc::kNotFound, "look up " + host + ": " + ::gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    if (entry->ai_family == AF_INET) {
      address = FromV4(reinterpret_cast<const sockaddr_in*>(entry->ai_addr)->sin_addr, port);
    } else if (entry->ai_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(entry->ai_addr);
      address = FromV6(v6->sin6_addr, v6->sin6_scope_id, port);
    } else {
      continue;
    }
    bool known = false;
    for (const SocketAddress& other : addresses) known = known || other.raw == address.raw;
    if (!known) addresses.push_back(std::move(address));
  }
  if (addresses.empty()) return Error(Errc::kNotFound, "look up " + host + ": no address");
  return addresses;
}

}  // namespace mig::os
