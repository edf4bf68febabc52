// Ledger entries in: what reads as one survives being written again, and follows nothing it was not
// chained to.
#include <cstdint>
#include <string_view>

#include "test/fuzz/require.h"
#include "trust/ledger.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const auto entry = mig::ReadLedgerText({reinterpret_cast<const char*>(data), size});
  if (!entry) return 0;
  const auto again = mig::ReadLedgerText(mig::LedgerText(*entry));
  Require(again && again->number == entry->number && again->time == entry->time &&
              again->event == entry->event && again->previous == entry->previous,
          "an entry survives its text");
  mig::LedgerChain chain;
  const bool first = entry->number == 1 && entry->previous == mig::LedgerGenesis();
  Require(first || !chain.Follow(*entry), "only a first entry follows nothing");
  return 0;
}
