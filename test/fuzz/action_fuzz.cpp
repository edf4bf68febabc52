// Orders to agents in: what is accepted holds every rule of its format, and what it means survives
// being written and read again.
#include <cstdint>

#include "proto/action.h"
#include "proto/target.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const auto action = mig::DecodeAction({reinterpret_cast<const char*>(data), size});
  if (!action) return 0;
  const bool stop = action->kind == mig::Kind::kStop;
  Require(stop == action->stops.has_value(), "stops stands in a stop, and only there");
  Require(stop == action->operations.empty(), "a stop and nothing else has no operations");
  Require(action->operations.size() <= mig::kMaxOperations, "at most 32 operations");
  Require(action->validfrom <= action->expireafter, "times are in order");
  Require(mig::Target::Parse(action->target).has_value(), "the target parses");
  Require(!action->name.empty() && action->name.size() <= mig::kMaxNameBytes, "name is bounded");
  const mig::Bytes text = mig::EncodeAction(*action);
  const auto again = mig::DecodeAction(text);
  Require(again.has_value(), "an action written is read");
  Require(mig::EncodeAction(*again) == text, "an action means the same after a round trip");
  return 0;
}
