// `mig api token new` and `mig api token add`: enrolment tokens, by whoever sits at the server.
// Tags come with grants that people have signed; a token made here alone gives none.
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

// Stores the token of a grant (the JSON of its envelope), as the API does when people post it.
// Errors: as CheckToken (roles/api/tokens.h); kExists.
Expected<void> AddToken(const ApiConfig& config, BytesView grant, std::string note, UtcTime now);

}  // namespace mig::api
