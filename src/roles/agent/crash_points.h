// The places where the crash test kills an agent: before and after every write and every send.
// To add one: call Crash("agent.what.when") there and add the name to the table in
// crash_points.cpp, in the order of an action's way.
#pragma once

#include <span>

namespace mig {

std::span<const char* const> AgentCrashPoints();

namespace agent {

// util/crash_point.h with a name that is in the table (else an assertion fails): a misspelt place
// would be a write that no crash test ever tries.
void Crash(const char* name);

}  // namespace agent
}  // namespace mig
