// Files of anchors and marks in: nothing that does not verify comes out, and what comes out
// survives being written again.
#include <cstdint>
#include <string_view>

#include "test/fuzz/require.h"
#include "trust/ledger_anchor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using mig::fuzz::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto anchors = mig::ReadAnchors(text)) {
    for (const mig::LedgerAnchor& anchor : *anchors) {
      const auto key = mig::PublicKey::FromBytes(anchor.key);
      Require(key && key->Fingerprint() == anchor.agent.View(), "an agent is the hash of its key");
      Require(key && mig::SignedBy(anchor.envelope, *key), "an anchor is signed by its agent");
    }
    const auto again = mig::ReadAnchors(mig::WriteAnchors(*anchors));
    Require(again && again->size() == anchors->size(), "anchors survive their text");
  }
  if (const auto mark = mig::ParseMark(text)) {
    const auto again = mig::ParseMark(mig::FormatMark(*mark));
    Require(again && again->length == mark->length && again->head == mark->head,
            "a mark survives its text");
  }
  return 0;
}
