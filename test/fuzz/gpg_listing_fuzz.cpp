// gpg's lists of keys: whatever stands there, a key that is chosen can sign, and is one of the
// list.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "cli/gpg_listing.h"
#include "test/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mig;
  const auto keys = cli::ParseGpgListing({reinterpret_cast<const char*>(data), size});
  if (!keys) return 0;
  for (const cli::GpgKey& key : *keys) {
    for (const std::string& id : {key.fingerprint, key.user_id}) {
      const auto chosen = cli::ChooseGpgKey(*keys, id);
      if (!chosen) continue;
      fuzz::Require(cli::WhyUnusable(*chosen).empty(), "a chosen key can sign");
      fuzz::Require(chosen->point.empty() != chosen->modulus.empty(), "and is of one kind");
    }
  }
  return 0;
}
