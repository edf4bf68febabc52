// How a role logs, as its configuration says it:
//   log: {level: info, format: text}
#pragma once

#include "util/log.h"
#include "util/settings.h"

namespace mig {

struct LogSettings {
  log::Level level = log::Level::kInfo;
  log::Format format = log::Format::kText;
};

// The section `log`. What is wrong is recorded in `settings` (see Finish).
LogSettings ReadLogSettings(Settings& settings);

}  // namespace mig
