// Memory that a service at rest does not need.
#pragma once

namespace mig::os {

// Gives back what start and work have touched and rest does not need: free heap, and the pages of
// the executable itself, which the kernel maps in large pieces around the few that were wanted.
// They stay in the page cache and come back by themselves when they are touched; nothing is read
// from disk unless the system is short of memory. For a process that has just become idle: it costs
// some tens of microseconds, and as much again spread over the next piece of work.
void ReleaseIdlePages();

}  // namespace mig::os
