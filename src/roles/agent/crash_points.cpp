#include "roles/agent/crash_points.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>

#include "util/crash_point.h"

namespace mig {
namespace {

constexpr std::array kPoints = {
    // First start, and the certificate's renewal.
    "agent.key.before",
    "agent.key.stored",
    "agent.enrol.before",
    "agent.enrol.answered",
    "agent.tls_key.before",
    "agent.tls_key.stored",
    "agent.certificate.before",
    "agent.certificate.recorded",
    "agent.certificate.stored",
    // Each start.
    "agent.startup.before",
    "agent.startup.stored",
    // Each connection.
    "agent.presence.before",
    "agent.presence.sent",
    "agent.heartbeat.before",
    "agent.heartbeat.sent",
    "agent.policy.before",
    "agent.policy.stored",
    "agent.freshness.before",
    "agent.freshness.stored",
    // A command comes in.
    "agent.accept.before",
    "agent.accept.stored",
    "agent.refuse.before",
    "agent.refuse.stored",
    "agent.stop.before",
    "agent.stop.stored",
    "agent.repeat.before",
    "agent.repeat.stored",
    "agent.receipt.before",
    "agent.receipt.sent",
    // It runs.
    "agent.start.before",
    "agent.start.stored",
    "agent.child.started",
    "agent.part.before",
    "agent.part.stored",
    "agent.finish.before",
    "agent.finish.stored",
    // Its results go out.
    "agent.send.before",
    "agent.send.sent",
    "agent.acknowledge.before",
    "agent.acknowledge.stored",
    // Housekeeping.
    "agent.forget.before",
    "agent.forget.stored",
};

}  // namespace

std::span<const char* const> AgentCrashPoints() { return kPoints; }

namespace agent {

void Crash(const char* name) {
  assert(std::any_of(kPoints.begin(), kPoints.end(),
                     [&](std::string_view point) { return point == name; }) &&
         "a crash point that is not in the table");
  CrashPoint(name);
}

}  // namespace agent
}  // namespace mig
