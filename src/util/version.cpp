#include "util/version.h"

namespace mig {

std::string_view Version() { return MIG_VERSION; }

}  // namespace mig
