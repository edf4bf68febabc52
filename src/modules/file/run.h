// A run of the file module: one walk for all searches, each in its own scope, with an account of
// what was looked at and what was not.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "modules/file/search.h"
#include "modules/result.h"
#include "util/clock.h"

namespace mig::file {

struct RunShare {
  std::size_t threads = 1;
  std::uint64_t read_rate = 0;  // bytes a second; 0: any
};

// One thread at a time calls the sink; where there is but one, the finds come depth first.
// Emits an element for each find; the returned summary holds the elements of searches without any,
// the statistics and the errors.
ModuleResult RunSearches(std::vector<Search> searches, ElementSink& sink, UtcTime now,
                         const RunShare& share);

}  // namespace mig::file
