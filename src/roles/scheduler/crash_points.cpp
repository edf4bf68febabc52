#include "roles/scheduler/crash_points.h"

#include <array>

namespace mig {
namespace {

constexpr std::array kPoints = {
    "scheduler.prepare.before_store",    "scheduler.prepare.after_store",
    "scheduler.take.before_store",       "scheduler.take.after_store",
    "scheduler.command.before_send",     "scheduler.command.after_send",
    "scheduler.receipt.before_store",    "scheduler.receipt.after_store",
    "scheduler.part.before_store",       "scheduler.part.after_store",
    "scheduler.ack.before_send",         "scheduler.ack.after_send",
    "scheduler.presence.before_store",   "scheduler.presence.after_store",
    "scheduler.event.before_send",       "scheduler.event.after_send",
    "scheduler.policy.before_send",      "scheduler.policy.after_send",
    "scheduler.expiry.before_store",     "scheduler.expiry.after_store",
    "scheduler.unsent.before_store",     "scheduler.unsent.after_store",
    "scheduler.start.before_store",      "scheduler.start.after_store",
    "scheduler.status.before_store",     "scheduler.status.after_store",
    "scheduler.statistics.before_store", "scheduler.statistics.after_store",
};

}  // namespace

std::span<const char* const> SchedulerCrashPoints() { return kPoints; }

}  // namespace mig
