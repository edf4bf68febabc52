// Which system this executable was built for, as a value: the only place where the answer differs
// is platform.cpp, so that nothing else needs to name a platform macro.
#pragma once

#include <string>
#include <string_view>

namespace mig::os {

enum class Platform : unsigned { kLinux = 1u << 0, kWindows = 1u << 1, kDarwin = 1u << 2 };

Platform CurrentPlatform();
std::string_view PlatformName(Platform platform);  // "linux", "windows", "darwin", as in MIG
std::string_view CurrentArchitecture();            // "amd64", "arm64", as in MIG

class Platforms {
 public:
  constexpr Platforms() = default;
  constexpr Platforms(Platform platform) : bits_(static_cast<unsigned>(platform)) {}  // NOLINT

  constexpr bool Has(Platform platform) const {
    return (bits_ & static_cast<unsigned>(platform)) != 0;
  }
  constexpr Platforms operator|(Platforms other) const { return Platforms(bits_ | other.bits_); }

 private:
  constexpr explicit Platforms(unsigned bits) : bits_(bits) {}
  unsigned bits_ = 0;
};

constexpr Platforms operator|(Platform a, Platform b) { return Platforms(a) | Platforms(b); }

// "linux, darwin".
std::string Describe(Platforms platforms);

}  // namespace mig::os
