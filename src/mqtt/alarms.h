// Points in time at which something is to be looked at again. Setting is cheap and may be early:
// whoever is woken looks at the real deadline and sets the alarm again if it has moved, so that a
// deadline that moves with every packet costs nothing while it moves.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "util/clock.h"

namespace mig::mqtt {

enum class AlarmKind : std::uint8_t { kConnection, kPaced, kSession, kSweep, kSysTopics };

struct Alarm {
  UtcTime time;
  AlarmKind kind{};
  std::uint64_t id = 0;

  bool operator>(const Alarm& other) const { return time > other.time; }
};

class Alarms {
 public:
  void Set(UtcTime time, AlarmKind kind, std::uint64_t id) { heap_.push(Alarm{time, kind, id}); }

  std::optional<UtcTime> Next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.top().time;
  }

  // The earliest alarm that is due, taken off.
  std::optional<Alarm> TakeDue(UtcTime now) {
    if (heap_.empty() || heap_.top().time > now) return std::nullopt;
    const Alarm alarm = heap_.top();
    heap_.pop();
    return alarm;
  }

 private:
  std::priority_queue<Alarm, std::vector<Alarm>, std::greater<>> heap_;
};

}  // namespace mig::mqtt
