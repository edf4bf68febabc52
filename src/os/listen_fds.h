// Listening sockets handed over by whoever started us (sd_listen_fds(3): LISTEN_PID, LISTEN_FDS,
// descriptors from 3 on). So a service manager, or the lab, can keep a port open while the process
// behind it is started again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/files.h"
#include "util/expected.h"

namespace mig::os {

// Takes them over (close-on-exec set) and removes the variables, so that children do not look for
// them. Empty when there are none, or they are meant for another process. Error: kInvalid when the
// variables make no sense or a descriptor is not a listening socket.
Expected<std::vector<FileDescriptor>> TakeListenFds();

// A socket for handing over: listens on 127.0.0.1, close-on-exec. Port 0: the kernel picks one.
// Error: kExists when the port is taken; kIo, kDenied.
Expected<FileDescriptor> ListenOnLoopback(std::uint16_t port);

// The local port of a bound TCP socket. Error: kIo.
Expected<std::uint16_t> PortOf(const FileDescriptor& socket);

}  // namespace mig::os
