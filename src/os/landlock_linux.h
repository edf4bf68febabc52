// Landlock (landlock(7)): which files a sandboxed process can open, by path. Part of os/sandbox.h;
// nobody else includes this. Raw system calls, because distributions' headers are older than the
// kernels this runs on.
#pragma once

#include <string>
#include <vector>

#include "util/expected.h"

namespace mig::os {

// The kernel's version of the interface, 1 and up; 0 where there is none or it is switched off.
int LandlockVersion();

struct LandlockRules {
  std::vector<std::string> read_paths;   // files, or folders with all beneath; nothing else opens
  bool network = false;                  // may connect by TCP; never listens
  bool truncation_is_forbidden = false;  // by seccomp: no call that could do it comes through
};

// Restricts this thread and those it makes, for good. no_new_privs must be set. A path that does
// not exist opens nothing. Error: kIo.
Expected<void> RestrictByLandlock(int version, const LandlockRules& rules);

}  // namespace mig::os
