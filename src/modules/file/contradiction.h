// What of one search contradicts itself: checks that no file can satisfy at once, a scope that
// leaves nothing. Pure.
#pragma once

#include "modules/file/search.h"
#include "util/expected.h"

namespace mig::file {

// For a search with matchall, whose answer would be "nothing" whatever there is. What takes knowing
// the machine (a name and a number that are not the same owner) is not seen. Error: kInvalid,
// quoting both.
Expected<void> CheckNotContradictory(const Search& search);

// What of a search's scope leaves nothing of its paths, or has no effect. Error: kInvalid, by name.
Expected<void> CheckScope(const Search& search);

}  // namespace mig::file
