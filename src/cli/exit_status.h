// The exit statuses of the client verbs. Scripts depend on them: never renumber.
#pragma once

namespace mig::cli {

enum ExitStatus : int {
  kFound = 0,        // finished and found; also: the verb did what it was asked
  kNothing = 1,      // finished, nothing found
  kUsage = 2,        // usage or configuration
  kPartial = 3,      // an agent failed, stayed silent, or sent what does not verify
  kRefused = 4,      // signature, policy, approval pending
  kUnreachable = 5,  // the server does not answer
  kLimited = 6,      // stopped by a limit
  kDetached = 130,   // Ctrl-C; the action goes on
};

}  // namespace mig::cli
