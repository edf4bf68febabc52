// Changes one value of a client configuration and leaves the rest, comments included, as somebody
// wrote it. Text in, text out.
#pragma once

#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::cli {

// `text` with `key: value` in place of its line for `key` at the top level, or behind everything
// where there is none. A comment on that line stays. Error: kInvalid when the value goes over
// several lines, or stands there twice.
Expected<std::string> SetTopLevelValue(std::string_view text, std::string_view key,
                                       std::string_view value);

}  // namespace mig::cli
