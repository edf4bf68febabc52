// Which of many sockets are ready: an epoll set of its own, of which Asio sees one descriptor.
// Asio's own wait for a socket takes a system call and a handler each time, and some 600 bytes
// while it lasts; for a relay whose thousands of connections mostly wait, that is what they cost.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "os/files.h"
#include "util/expected.h"

namespace mig {

class Poller {
 public:
  struct Interest {
    bool read = false;
    bool write = false;
  };
  // An error or the peer's end counts as both, so that whoever reads or writes next finds it.
  struct Ready {
    std::uint64_t id = 0;
    bool readable = false;
    bool writable = false;
  };

  // Called once, before the others. Returns the descriptor that is readable while some socket is
  // ready, for the caller to keep as long as the poller. Error: kIo.
  Expected<os::FileDescriptor> Open();

  // From now on, and not only once. No interest: the socket is not watched at all. Closing it ends
  // it, too; what Take() has returned by then may still name it. Requires: `before` is what was set
  // last.
  void Set(int socket, std::uint64_t id, Interest before, Interest now);

  // Those that are ready, not all if there are many; valid until the next call.
  std::span<const Ready> Take();

 private:
  static constexpr std::size_t kAtOnce = 256;  // before the rest of the loop has its turn

  int epoll_ = -1;
  std::array<epoll_event, kAtOnce> events_;
  std::array<Ready, kAtOnce> ready_;
};

}  // namespace mig
