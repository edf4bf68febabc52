// One line per event to stderr, as text or JSON. Threads may log at once; a line is written whole.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "util/expected.h"

namespace mig::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kText, kJson };

// Process-wide; set once at start (and again on SIGHUP). Defaults: kInfo, kText, no role.
void Configure(Level level, Format format, std::string role);
Expected<Level> ParseLevel(std::string_view name);    // debug info warning error
Expected<Format> ParseFormat(std::string_view name);  // text json

struct Field {
  std::string_view name;
  std::string value;
};
using Fields = std::initializer_list<Field>;

void Write(Level level, std::string_view message, Fields fields = {});

inline void Debug(std::string_view message, Fields fields = {}) {
  Write(Level::kDebug, message, fields);
}
inline void Info(std::string_view message, Fields fields = {}) {
  Write(Level::kInfo, message, fields);
}
inline void Warning(std::string_view message, Fields fields = {}) {
  Write(Level::kWarning, message, fields);
}
inline void Error(std::string_view message, Fields fields = {}) {
  Write(Level::kError, message, fields);
}

// The line without its newline, as Write prints it. Pure, for tests.
std::string FormatLine(Format format, std::string_view role, Level level, std::string_view time,
                       std::string_view message, Fields fields);

}  // namespace mig::log
