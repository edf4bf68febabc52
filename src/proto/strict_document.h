// The JSON of orders (actions, roots, policies), where two readers must never see two documents:
// besides what util/json.h refuses, every number at any depth is a whole one within ±2^53, which
// all readers hold exactly (1.0 and 1e3 are other readers' integers, and not ours). Unknown fields
// are refused by the decoders.
#pragma once

#include "util/bytes.h"
#include "util/expected.h"
#include "util/json.h"

namespace mig {

// Errors: kMalformed as json::ParseObject; kUnsupported for a number, naming its place.
Expected<json::object> ParseStrictDocument(BytesView text);

}  // namespace mig
