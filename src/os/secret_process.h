// A process that keeps a secret in its memory for hours.
#pragma once

#include "util/expected.h"

namespace mig::os {

// No core dumps, and no other process of the same user may look into this one's memory or attach
// to it (prctl(2), PR_SET_DUMPABLE). Root still can. Error: kIo: then nothing should be kept here.
Expected<void> ForbidInspection();

enum class Side { kForeground, kBackground };
// Goes on twice: in the foreground as before, and in the background as a session of its own with
// its streams on /dev/null, and / as its folder. From a process without other threads. Pages that
// were locked are not locked in the background (mlock(2)). Error: kIo.
Expected<Side> ForkIntoBackground();

// Ends this process at once, without destructors: for the side that leaves what it made to the
// other.
[[noreturn]] void EndNow(int status);

}  // namespace mig::os
