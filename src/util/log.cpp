#include "util/log.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cstdio>
#include <mutex>

#include "util/clock.h"
#include "util/text.h"

namespace mig::log {
namespace {

struct Destination {
  std::mutex mutex;
  // Under `mutex`.
  Level level = Level::kInfo;
  Format format = Format::kText;
  std::string role;
};

Destination& TheDestination() {
  static Destination destination;
  return destination;
}

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

// JSON strings must be UTF-8; what is not is escaped the way a terminal would see it.
std::string JsonString(std::string_view text) {
  return boost::json::serialize(
      boost::json::string(IsUtf8(text) ? std::string(text) : EscapeForTerminal(text)));
}

// key=value for text lines; quoted when it would not read as one word.
std::string TextValue(std::string_view raw) {
  std::string text = EscapeForTerminal(raw);
  if (!text.empty() && text.find_first_of(" \"=") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

void Configure(Level level, Format format, std::string role) {
  Destination& destination = TheDestination();
  const std::lock_guard lock(destination.mutex);
  destination.level = level;
  destination.format = format;
  destination.role = std::move(role);
}

Expected<Level> ParseLevel(std::string_view name) {
  for (const Level level : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (name == LevelName(level)) return level;
  }
  return mig::Error(Errc::kInvalid,
                    "`" + std::string(name) + "` is not a log level (debug, info, warning, error)");
}

Expected<Format> ParseFormat(std::string_view name) {
  if (name == "text") return Format::kText;
  if (name == "json") return Format::kJson;
  return mig::Error(Errc::kInvalid, "`" + std::string(name) + "` is not a log format (text, json)");
}

std::string FormatLine(Format format, std::string_view role, Level level, std::string_view time,
                       std::string_view message, Fields fields) {
  std::string line;
  if (format == Format::kJson) {
    line += "{\"time\":" + JsonString(time) + ",\"level\":" + JsonString(LevelName(level));
    if (!role.empty()) line += ",\"role\":" + JsonString(role);
    line += ",\"message\":" + JsonString(message);
    for (const Field& field : fields) {
      line += "," + JsonString(field.name) + ":" + JsonString(field.value);
    }
    return line + "}";
  }
  line += time;
  line += ' ';
  line += LevelName(level);
  if (!role.empty()) {
    line += ' ';
    line += role;
  }
  line += ": ";
  line += EscapeForTerminal(message);
  for (const Field& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    line += TextValue(field.value);
  }
  return line;
}

void Write(Level level, std::string_view message, Fields fields) {
  Destination& destination = TheDestination();
  const std::lock_guard lock(destination.mutex);
  if (level < destination.level) return;
  std::string line = FormatLine(destination.format, destination.role, level, FormatRfc3339(Now()),
                                message, fields);
  line += '\n';
  // One call: lines of several processes that share a terminal or file stay whole.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace mig::log
