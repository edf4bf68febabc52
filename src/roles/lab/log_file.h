// The logs of a lab's processes: opened by the supervisor for them to write, read by `mig lab
// logs`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "os/files.h"
#include "util/expected.h"

namespace mig::lab {

// For appending. A file above 16 MiB becomes NAME.log.1 first, in place of an older one: a lab that
// is left running does not fill the disk by more than twice that for each role.
Expected<os::FileDescriptor> OpenLog(const std::filesystem::path& file);

}  // namespace mig::lab
