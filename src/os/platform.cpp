#include "os/platform.h"

#include <vector>

#include "util/text.h"

namespace mig::os {

Platform CurrentPlatform() {
#if defined(_WIN32)
  return Platform::kWindows;
#elif defined(__APPLE__)
  return Platform::kDarwin;
#else
  return Platform::kLinux;
#endif
}

std::string_view PlatformName(Platform platform) {
  switch (platform) {
    case Platform::kLinux:
      return "linux";
    case Platform::kWindows:
      return "windows";
    case Platform::kDarwin:
      return "darwin";
  }
  return "unknown";
}

std::string_view CurrentArchitecture() {
#if defined(__x86_64__) || defined(_M_X64)
  return "amd64";
#elif defined(__aarch64__) || defined(_M_ARM64)
  return "arm64";
#elif defined(__i386__)
  return "386";
#elif defined(__arm__)
  return "arm";
#elif defined(__riscv) && __riscv_xlen == 64
  return "riscv64";
#else
  return "unknown";
#endif
}

std::string Describe(Platforms platforms) {
  std::vector<std::string> names;
  for (const Platform p : {Platform::kLinux, Platform::kWindows, Platform::kDarwin}) {
    if (platforms.Has(p)) names.emplace_back(PlatformName(p));
  }
  return Join(names, ", ");
}

}  // namespace mig::os
