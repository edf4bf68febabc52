// The version of this executable, from the build.
#pragma once

#include <string_view>

namespace mig {

std::string_view Version();  // "0.1.0"

}  // namespace mig
