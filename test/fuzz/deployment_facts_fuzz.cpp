// The small file in which an agent keeps which deployment it belongs to, damaged since it was
// written.
#include <cstdint>

#include "roles/agent/deployment_facts.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  const BytesView text(reinterpret_cast<const char*>(data), size);
  if (const auto facts = agent::ReadDeploymentFacts(text)) {
    const auto again = agent::ReadDeploymentFacts(agent::WriteDeploymentFacts(*facts));
    fuzz::Require(again && again->org == facts->org && again->api == facts->api,
                  "an enrolment's record survives its text");
  }
  return 0;
}
