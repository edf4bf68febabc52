#include "util/log_settings.h"

namespace mig {

LogSettings ReadLogSettings(Settings& settings) {
  LogSettings logging;
  Settings section = settings.Section("log");
  if (auto level = log::ParseLevel(section.String("level", "info"))) {
    logging.level = *level;
  } else {
    section.Fail("level", level.error().message());
  }
  if (auto format = log::ParseFormat(section.String("format", "text"))) {
    logging.format = *format;
  } else {
    section.Fail("format", format.error().message());
  }
  return logging;
}

}  // namespace mig
