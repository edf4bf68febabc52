// How this process stands against all others of the machine.
#pragma once

#include "util/expected.h"

namespace mig::os {

inline constexpr int kLowestPriority = 19;

// nice(2)'s number for the whole process, which has one thread yet; later ones inherit it. At the
// lowest its reads wait for everybody else's too (idle I/O class, where the disk's scheduler has
// such). Error: kDenied for a higher priority than it has now, without the privilege.
Expected<void> SetPriority(int nice);

// Of the cores that this process may run on.
unsigned UsableCores();

}  // namespace mig::os
