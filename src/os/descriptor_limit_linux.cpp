#include <sys/resource.h>

#include "os/descriptor_limit.h"

namespace mig::os {

std::size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit wanted{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) == 0) return limit.rlim_max;
  return limit.rlim_cur;
}

}  // namespace mig::os
