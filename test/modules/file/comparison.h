// What the file module answered against what the plain implementation says.
#pragma once

#include <string>
#include <vector>

#include "modules/result.h"
#include "test/modules/file/plain_search.h"

namespace mig::file {

// Empty when they agree: the finds of each search, those without any, and the statistics. Otherwise
// what is different, for a person.
std::string Differences(const std::vector<PlainSearch>& searches, const PlainAnswer& expected,
                        const ModuleResult& result);

}  // namespace mig::file
