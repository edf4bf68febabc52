// The words for what a file system lets nobody do to a file, and how it keeps it.
#pragma once

#include <string_view>

#include "os/file_status.h"

namespace mig::file {

struct FlagName {
  std::string_view name;
  os::FileFlag flag;
};

inline constexpr FlagName kFlagNames[] = {
    {"immutable", os::FileFlag::kImmutable}, {"append", os::FileFlag::kAppend},
    {"nodump", os::FileFlag::kNoDump},       {"compressed", os::FileFlag::kCompressed},
    {"encrypted", os::FileFlag::kEncrypted}, {"verity", os::FileFlag::kVerity},
};

}  // namespace mig::file
