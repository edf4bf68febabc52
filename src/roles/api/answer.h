// What a request comes to: a status and a JSON body. Errors have one shape everywhere:
// {"error": {"code": "expired", "message": "…"}}.
#pragma once

#include <string>

#include "trust/refusal.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig::api {

struct Answer {
  int status = 200;
  Bytes body;  // JSON
};

Answer JsonAnswer(int status, const json::value& body);

// The HTTP status that fits the kind of error (RFC 9110 section 15).
Answer ErrorAnswer(const Error& error);
Answer ErrorAnswer(int status, std::string_view code, std::string_view message);

// 403 with the reason code that an agent would give.
Answer RefusedAnswer(Refusal code, std::string_view detail);

}  // namespace mig::api
