// The access control lists of Mozilla's MIG, and the policies that they become.
#include <cstdint>
#include <string_view>

#include "cli/mig_acl.h"
#include "cli/policy_draft.h"
#include "test/fuzz/require.h"

using namespace mig;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto acl = cli::ReadMigAcl(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!acl) return 0;
  Policy policy =
      cli::FirstPolicy(OrgId(), {"ann", "Ann", true, {{"ed25519", Bytes(32, '\x01')}}}, UtcTime());
  // Nobody's key is there: nobody gains anything, and all are named.
  const auto import = cli::ImportMigAcl(*acl, {}, policy);
  fuzz::Require(import.has_value(), "who has no key is left out, not refused");
  fuzz::Require(import->added.empty(), "nobody is added without a key");
  for (const auto& entry : policy.modules) {
    fuzz::Require(entry.second.weights.empty(), "nobody gains weight");
  }
  return 0;
}
