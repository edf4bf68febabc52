// How many files and sockets this process may have open.
#pragma once

#include <cstddef>

namespace mig::os {

// Raises the soft limit to the hard one, for servers with many connections, and returns it.
std::size_t RaiseDescriptorLimit();

}  // namespace mig::os
