// What the kernel says of one network namespace, and whether its two ways of saying it agree.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/sockets.h"

namespace mig::netstat {

// Who has told of a socket.
enum class Evidence { kNetlink, kFiles, kBoth };
std::string_view EvidenceName(Evidence evidence);  // "netlink", "procfs", "both"

struct SeenSocket {
  os::Socket socket;
  Evidence evidence = Evidence::kFiles;
};

// What a socket looks like to both: for comparing.
struct Disagreement {
  std::vector<std::string> netlink_only, files_only;  // in words, the first few
  std::uint64_t netlink_count = 0, files_count = 0, compared = 0;
};

// Joins what netlink says with what the files said before and after it. A socket that comes or goes
// meanwhile is in one of the files; one that netlink alone has, or the files alone, twice, is a
// disagreement, as a rootkit leaves it. Sockets that nobody has any more (inode 0) are not
// compared. Pure.
std::vector<SeenSocket> Join(const std::vector<os::Socket>& netlink,
                             const std::vector<os::Socket>& before,
                             const std::vector<os::Socket>& after, Disagreement& disagreement);

// "tcp 192.0.2.7:22 198.51.100.9:50122 inode 123"
std::string InWords(const os::Socket& socket);

// What could not be seen.
struct Gaps {
  std::uint64_t malformed = 0;       // lines of the kernel's tables
  std::vector<std::string> reasons;  // in words
};

struct Wanted {
  bool sockets = false, neighbours = false, interfaces = false;
};

struct Survey {
  std::vector<SeenSocket> sockets;
  std::vector<os::Neighbour> neighbours;
  std::vector<os::Interface> interfaces;
};

// The namespace that this process is in.
Survey SurveyHere(const Wanted& wanted, Disagreement& disagreement, Gaps& gaps);
// Another one, seen through a process that is in it: "/proc/17/net". MACs of its own and neighbours
// over IPv6 are not in these files, which is a gap where they are wanted.
Survey SurveyThere(const std::string& net_folder, const std::string& name, const Wanted& wanted,
                   Gaps& gaps);

}  // namespace mig::netstat
