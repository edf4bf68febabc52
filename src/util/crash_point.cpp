#include "util/crash_point.h"

namespace mig {

CrashHook crash_hook = nullptr;

}  // namespace mig
