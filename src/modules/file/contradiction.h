// Checks of one search that no file can satisfy at once. Pure.
#pragma once

#include "modules/file/search.h"
#include "util/expected.h"

namespace mig::file {

// For a search with matchall, whose answer would be "nothing" whatever there is. What takes knowing
// the machine (a name and a number that are not the same owner) is not seen. Error: kInvalid,
// quoting both.
Expected<void> CheckNotContradictory(const Search& search);

}  // namespace mig::file
