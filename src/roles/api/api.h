// `mig api`: the server's door for people and for agents that enrol.
#pragma once

#include <span>
#include <string>

namespace mig {

int RunApi(std::span<const std::string> arguments);

}  // namespace mig
