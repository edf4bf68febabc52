// JSON in: nothing crashes, what is accepted survives being written and read again, and what an
// ObjectReader lets pass is within the bounds it was given.
#include <cstdint>
#include <string_view>

#include "test/fuzz/require.h"
#include "util/json.h"

namespace {

// Boost 1.81 may read a double one unit in the last place off, so only documents without doubles
// are held to exact equality. (Orders refuse non-integer numbers anyway.)
bool HasDouble(const mig::json::value& v) {
  if (v.is_double()) return true;
  if (const auto* array = v.if_array()) {
    for (const auto& item : *array) {
      if (HasDouble(item)) return true;
    }
  }
  if (const auto* object = v.if_object()) {
    for (const auto& member : *object) {
      if (HasDouble(member.value())) return true;
    }
  }
  return false;
}

void ReadFields(const mig::json::object& object) {
  mig::json::ObjectReader in(object, "fuzz");
  in.OptionalString("s");
  in.OptionalBool("b", false);
  const std::int64_t small = in.OptionalInteger("i", 3, 1, 5);
  in.OptionalUint64("u", 0);
  in.OptionalStrings("l");
  if (in.Has("t")) in.Time("t");
  if (in.Has("n")) in.Base64("n");
  if (const auto* inner = in.OptionalObject("o")) {
    mig::json::ObjectReader deeper(*inner, in.Where("o"));
    if (auto done = deeper.Finish(); !done) in.Fail(std::move(done).error());
  }
  const bool passed = in.Finish().has_value();
  mig::fuzz::Require(!passed || (small >= 1 && small <= 5), "an accepted integer is in its range");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = mig::json::Parse(text);
  if (!parsed) return 0;
  if (!HasDouble(*parsed)) {
    const auto again = mig::json::Parse(mig::json::Write(*parsed));
    mig::fuzz::Require(again && *again == *parsed, "JSON written compactly reads the same");
    const auto pretty = mig::json::Parse(mig::json::WritePretty(*parsed));
    mig::fuzz::Require(pretty && *pretty == *parsed, "JSON written prettily reads the same");
  }
  if (const auto name = mig::json::ToName(*parsed)) {
    const auto same = mig::json::ToName(mig::json::FromName(*name));
    mig::fuzz::Require(same && *same == *name, "a name survives its JSON form");
  }
  if (const auto number = mig::json::ToUint(*parsed)) {
    const auto same = mig::json::ToUint(mig::json::FromUint(*number));
    mig::fuzz::Require(same && *same == *number, "a number survives its JSON form");
  }
  if (const auto* object = parsed->if_object()) ReadFields(*object);
  return 0;
}
