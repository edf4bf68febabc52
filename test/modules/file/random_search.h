// Searches of all kinds for a tree of tree_maker.h: paths in it, one below the other, links, files,
// some that are not there; checks that hold for some of its files; all combinations of options.
#pragma once

#include <vector>

#include "test/modules/file/plain_search.h"
#include "test/modules/file/random_source.h"
#include "test/modules/file/tree_maker.h"

namespace mig::file {

// One to five, each of which the module accepts.
std::vector<PlainSearch> RandomSearches(RandomSource& random, const MadeTree& tree);

}  // namespace mig::file
