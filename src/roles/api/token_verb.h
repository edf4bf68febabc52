// `mig api token new`: makes an enrolment token on the server.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "roles/api/api_config.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::api {

// Stores the hash of a new secret and returns the text to give to agents. Errors: kInvalid when the
// configuration has no `address` to put into it.
Expected<std::string> NewToken(const ApiConfig& config, std::uint32_t uses,
                               std::chrono::milliseconds validity, std::string note, UtcTime now);

}  // namespace mig::api
