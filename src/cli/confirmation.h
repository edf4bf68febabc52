// A person's yes before something is signed.
#pragma once

#include <string_view>

#include "cli/terminal.h"
#include "util/expected.h"

namespace mig::cli {

// Asks `question` on the terminal; everything but y or yes is a no. `yes`: --yes was given, nobody
// is asked. Error: kDenied "not signed" for a no; kInvalid where there is nobody to ask.
Expected<void> Confirm(std::string_view question, bool yes, Terminal& terminal);

}  // namespace mig::cli
