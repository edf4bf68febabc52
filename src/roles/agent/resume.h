// What becomes of an action that was accepted and not finished when the agent was killed, or that
// waited in line: may it (still, again) run? Pure.
#pragma once

#include "store/agent_db.h"
#include "util/clock.h"

namespace mig::agent {

enum class Resume {
  kRun,          // from the first operation that has not ended
  kStopped,      // people stopped it
  kExpired,      // its time is over and it never started
  kInterrupted,  // it was cut off and may not run again
};

// - A stop counts before all else.
// - What never started runs, within its time.
// - An investigation that was cut off runs again, once, within its time, from the operation that
//   was cut off; but not when parts of that operation are stored: they may have been delivered, and
//   a second run could contradict them.
// - A response that was cut off never runs again: nobody knows how far it went.
Resume DecideResume(const store::RememberedAction& action, const store::PartsProgress& progress,
                    bool stopped, UtcTime now);

}  // namespace mig::agent
