#include "roles/agent/resume.h"

namespace mig::agent {
namespace {

constexpr std::uint32_t kMaxAttempts = 2;

}  // namespace

Resume DecideResume(const store::RememberedAction& action, const store::PartsProgress& progress,
                    bool stopped, UtcTime now) {
  if (stopped) return Resume::kStopped;
  const bool in_time = now < action.expireafter;
  if (action.state == store::RunState::kReceived) return in_time ? Resume::kRun : Resume::kExpired;
  const bool again = action.kind == Kind::kInvestigate && action.attempts < kMaxAttempts &&
                     progress.open_parts == 0 && in_time;
  return again ? Resume::kRun : Resume::kInterrupted;
}

}  // namespace mig::agent
