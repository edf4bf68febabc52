#include "roles/api/crash_points.h"

#include <array>

namespace mig {
namespace {

constexpr std::array kPoints = {
    "api.session.before_store", "api.session.after_store", "api.session.before_answer",
    "api.action.before_store",  "api.action.after_store",  "api.action.before_answer",
    "api.enrol.before_store",   "api.enrol.after_store",   "api.enrol.before_answer",
    "api.wake.before_send",     "api.wake.after_send",     "api.stream.before_part",
    "api.stream.after_part",    "api.stream.before_end",   "api.targets.before_answer",
    "api.people.before_store",  "api.people.after_store",
};

}  // namespace

std::span<const char* const> ApiCrashPoints() { return kPoints; }

}  // namespace mig
