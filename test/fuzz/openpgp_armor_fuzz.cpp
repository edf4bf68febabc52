// ASCII armour from outside.
#include <cstdint>

#include "crypto/openpgp_armor.h"
#include "test/fuzz/require.h"

using namespace mig;
using namespace mig::openpgp;
using fuzz::Require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto blocks = ReadArmor(text);
  if (!blocks) return 0;
  Require(!blocks->empty() && blocks->size() <= 64, "one block at least, and a bounded number");
  for (const ArmorBlock& block : *blocks) {
    Require(!block.body.empty() && block.body.size() < size, "armour is longer than its content");
    const auto again = ReadArmor(WriteArmor(block.kind, block.body));
    Require(again && again->size() == 1 && again->front().kind == block.kind &&
                again->front().body == block.body,
            "written, it reads the same");
  }
  return 0;
}
