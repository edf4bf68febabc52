// What `mig relay db` prints: figures and findings as JSON and as text for a person.
#pragma once

#include <string>
#include <vector>

#include "store/relay_admin.h"
#include "util/json.h"

namespace mig::relay {

json::object CheckReport(const std::vector<store::RelayFinding>& findings);
std::string FormatCheck(const std::vector<store::RelayFinding>& findings);

json::object StatsReport(const store::RelayDbFigures& figures);
std::string FormatStats(const store::RelayDbFigures& figures, UtcTime now, std::size_t width);

}  // namespace mig::relay
