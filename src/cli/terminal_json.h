// JSON that may be looked at: the same document, with nothing in it that could steer a terminal.
#pragma once

#include <string>

namespace mig::cli {

// Writes DEL, the controls U+0080..U+009F, and characters that hide or reorder text as \uXXXX.
// Requires: `text` is JSON as json::Write makes it, or a piece of one that cuts no string.
std::string EscapeJson(std::string text);

}  // namespace mig::cli
