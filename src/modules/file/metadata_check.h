// The values of the checks that need no content, as people write them: `<10k`, `-4000`, `www-data`,
// `f,l`, `user.origin=http`. Pure; what they answer is metadata.h.
#pragma once

#include <cstdint>

#include "modules/file/search.h"
#include "os/file_status.h"
#include "util/expected.h"

namespace mig::file {

// Reads `check.value` into the rest of it, by its kind. Error: kInvalid, quoting the value.
Expected<void> ParseMetadataCheck(Check& check);

// The same for a plain regular expression with an optional `!` before it: kContent's too.
Expected<void> ParseRegex(Check& check);

// The letter of -type, and its bit in Check::bits. '\0' and 0 for what no letter means.
char TypeLetter(os::FileType type);
std::uint32_t TypeBit(os::FileType type);

}  // namespace mig::file
