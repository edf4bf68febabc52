#include "cli/terminal_json.h"

#include <cstdio>

namespace mig::cli {

std::string EscapeJson(std::string text) {
  // Everything that is not ASCII stands inside strings, where \uXXXX means the same. DEL and the
  // controls of U+0080..U+009F act on terminals; the format characters reorder or hide text.
  std::string out;
  std::size_t copied = 0;
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto replace = [&](std::size_t at, std::size_t length, const char* escaped) {
    out.append(text, copied, at - copied);
    out += escaped;
    copied = at + length;
  };
  char buffer[16];
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned lead = byte(i);
    if (lead == 0x7F) {
      replace(i, 1, "\\u007f");
    } else if (lead == 0xC2 && (byte(i + 1) < 0xA0 || byte(i + 1) == 0xAD)) {
      std::snprintf(buffer, sizeof buffer, "\\u00%02x", byte(i + 1));
      replace(i, 2, buffer);
    } else if (lead == 0xD8 && byte(i + 1) == 0x9C) {
      replace(i, 2, "\\u061c");
    } else if (lead == 0xE2 || lead == 0xEF) {
      const unsigned code =
          (lead & 0x0Fu) << 12 | (byte(i + 1) & 0x3Fu) << 6 | (byte(i + 2) & 0x3Fu);
      const bool format = (code >= 0x200B && code <= 0x200F) ||
                          (code >= 0x2028 && code <= 0x202E) ||
                          (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
                          (code >= 0xFFF9 && code <= 0xFFFB);
      if (format) {
        std::snprintf(buffer, sizeof buffer, "\\u%04x", code);
        replace(i, 3, buffer);
      }
    } else if (lead == 0xF3 && byte(i + 1) == 0xA0 &&
               (byte(i + 2) == 0x80 || byte(i + 2) == 0x81)) {
      // Tag characters U+E0000..U+E007F: a surrogate pair.
      const unsigned low = 0xDC00u + ((byte(i + 2) & 0x3Fu) << 6 | (byte(i + 3) & 0x3Fu));
      std::snprintf(buffer, sizeof buffer, "\\udb40\\u%04x", low);
      replace(i, 4, buffer);
    }
    if (copied > i) i = copied - 1;
  }
  if (copied == 0) return text;
  out.append(text, copied, std::string::npos);
  return out;
}

}  // namespace mig::cli
