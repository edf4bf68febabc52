// libsodium's one-time start: picks the fastest implementations and opens the random source.
#pragma once

namespace mig {

// Every function of this folder that calls libsodium calls this first; any thread, any number of
// times. Ends the process when the system has no random source: nothing here is safe without one.
void StartSodium();

}  // namespace mig
