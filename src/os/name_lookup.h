// Names of hosts to addresses, by the system's resolver. Blocks: only in a module's child, whose
// deadline ends it; the resolver itself is told to give up early.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::os {

// An internet address with a port, as the kernel takes it.
struct SocketAddress {
  Bytes raw;         // a sockaddr_in or sockaddr_in6
  std::string text;  // "192.0.2.7", "2001:db8::1"
  bool v6 = false;
};

// All addresses of `host` in the resolver's order, without repetitions, each with `port`. Takes
// names and literals, also "[2001:db8::1]"; "localhost" needs no hosts file.
// Error: kNotFound with the resolver's reason.
Expected<std::vector<SocketAddress>> LookUpHost(const std::string& host, std::uint16_t port = 0);

}  // namespace mig::os
