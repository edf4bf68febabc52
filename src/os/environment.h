// What an agent tells about its machine in heartbeats, and what targets ask for. The parsers are
// pure; DiscoverEnvironment is the rim. How it is written down is proto/result.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"

namespace mig::os {

struct Environment {
  std::string hostname;                // fully qualified where the system knows it
  std::string os;                      // linux, windows, darwin
  std::string arch;                    // amd64, arm64
  std::string ident;                   // "Debian GNU/Linux 12 (bookworm)"
  std::string init;                    // systemd, upstart, sysvinit, or the program's name
  std::string kernel;                  // "6.1.0-18-amd64"
  std::vector<std::string> addresses;  // CIDR, sorted, without loopback
  bool operator==(const Environment&) const = default;
};

// Never fails and never waits: what cannot be found out is empty, `hostname` is "localhost" at
// worst.
Environment DiscoverEnvironment();

// Names the running system that this process is in: the machine, its start, and the numbers of its
// processes. Another text after each start, on each copy of an image, and in each container. Empty
// where the kernel does not say.
std::string RunningSystem();

// The two of them that a module may ask for alone.
std::string HostName();
std::vector<std::string> HostAddresses();

// PRETTY_NAME of os-release(5), else NAME and VERSION, else empty. Handles its quoting.
std::string IdentFromOsRelease(std::string_view text);

// From the command line of process 1 and what /sbin/init points to; either may be empty.
std::string InitFlavour(std::string_view command_line, std::string_view init_link);

// The kernel's name when it has a dot; else the first fully qualified name that a hosts(5) file
// gives for it; else the kernel's name. No lookup over the network: start-up must not hang on DNS.
std::string FullyQualifiedName(std::string_view kernel_name, std::string_view hosts_file);

// An address and its netmask, both 4 or both 16 bytes, as "192.0.2.7/24"; empty for loopback
// (127.0.0.0/8, ::1) and for anything else.
std::string FormatCidr(BytesView address, BytesView netmask);

}  // namespace mig::os
