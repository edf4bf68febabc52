#include "trust/time_floor.h"

namespace mig {

bool TimeFloor::Raise(UtcTime time) {
  if (time <= floor_) return false;
  floor_ = time;
  return true;
}

}  // namespace mig
