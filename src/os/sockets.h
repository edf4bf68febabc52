// Reading the kernel's tables of sockets and neighbours: over netlink for the network namespace
// that this process is in, and from /proc for every other, and as a second opinion. Whose a socket
// is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "os/socket_tables.h"
#include "util/expected.h"

namespace mig::os {

// One dump. Errors as ErrnoError (kNotFound: this kernel does not tell of such sockets), kTimeout,
// kUnavailable after several tries while the tables changed.
Expected<std::vector<Socket>> SocketsByNetlink(SocketProtocol protocol, bool v6);
Expected<std::vector<Neighbour>> NeighboursByNetlink();

// The same from files, for the process's namespace: `net_folder` is "/proc/net" or "/proc/17/net".
// What is not there (a kernel without IPv6) is an empty table. Error: as ErrnoError.
Expected<SocketTable> SocketsByFiles(const std::string& net_folder, SocketProtocol protocol,
                                     bool v6);
Expected<std::string> NetTable(const std::string& net_folder, const std::string& name);

struct Interface {
  std::string name;
  std::string mac;  // empty: it has none
  std::vector<IpAddress> addresses;
};
// Of this process's namespace. Error: as ErrnoError.
Expected<std::vector<Interface>> Interfaces();

struct SocketOwner {
  int pid = 0;
  std::string name;        // as the process calls itself
  std::string executable;  // empty: a kernel thread, or not to be read
};

// What all processes have open, in one pass through /proc.
struct SocketOwners {
  std::map<std::uint64_t, std::vector<SocketOwner>> by_inode;
  // The namespaces that processes are in, as /proc/PID/ns/net names them ("net:[4026531840]"), each
  // with processes that are in it.
  std::map<std::string, std::vector<int>> namespaces;
  std::string own_namespace;
  std::uint64_t processes = 0;
  std::uint64_t unreadable = 0;  // processes whose sockets cannot be seen
  std::string first_unreadable;  // "/proc/17: permission denied"
};
// `with_owners`: else namespaces alone. Error: /proc cannot be read.
Expected<SocketOwners> ReadSocketOwners(bool with_owners);

}  // namespace mig::os
