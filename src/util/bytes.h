// Byte strings. A std::string holds any bytes; these names say that text is not meant.
#pragma once

#include <string>
#include <string_view>

namespace mig {

using Bytes = std::string;
using BytesView = std::string_view;

}  // namespace mig
