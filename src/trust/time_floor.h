// The agent's time: the higher of its clock and of a floor that only signed times raise. A clock
// that is set back, by accident or to make an expired action valid again, changes nothing then. The
// own clock never raises the floor: one start with a clock far ahead would else refuse everything
// for years. Pure; store/agent_db.h keeps the floor on disk.
#pragma once

#include <algorithm>

#include "proto/action.h"
#include "trust/policy_chain.h"
#include "util/clock.h"

namespace mig {

class TimeFloor {
 public:
  TimeFloor() = default;
  explicit TimeFloor(UtcTime floor) : floor_(floor) {}

  UtcTime floor() const { return floor_; }
  UtcTime AgentTime(UtcTime clock) const { return std::max(clock, floor_); }

  // By what the root keys signed: when documents were issued. True when the floor rose: the new one
  // is to be stored before anything is decided by it.
  bool RaiseBy(const TrustedPolicy& policy) { return Raise(policy.newest_time()); }

  // By an action that was accepted within its time. Its validfrom is in the past then, so that no
  // signer can push the floor beyond the agent's time.
  bool RaiseBy(const Action& accepted) { return Raise(accepted.validfrom); }

 private:
  bool Raise(UtcTime time);

  UtcTime floor_;
};

}  // namespace mig
