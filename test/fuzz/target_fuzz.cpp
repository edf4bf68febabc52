// Target expressions in: what parses becomes SQL that is made of our own words alone, and evaluates
// without contradiction whatever is known.
#include <algorithm>
#include <cstdint>

#include "proto/target.h"
#include "test/fuzz/require.h"

namespace {

using mig::Target;
using mig::Truth;
using mig::fuzz::Require;

Target::Facts FactsOf(bool knows_all) {
  Target::Facts facts;
  facts.value = [knows_all](std::string_view field,
                            std::string_view key) -> std::optional<std::optional<std::string>> {
    if (field == "heartbeattime" || field == "status") {
      if (!knows_all) return std::nullopt;
      return std::optional<std::string>("2026-11-23T09:00:00Z");
    }
    if (field == "tags") return std::optional<std::string>();
    return std::optional<std::string>("web1" + std::string(key));
  };
  facts.found = facts.notfound = [knows_all](const mig::ActionId&) {
    return knows_all ? Truth::kTrue : Truth::kUnknown;
  };
  facts.now = *mig::ParseRfc3339("2026-11-23T09:30:00Z");
  return facts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto target = Target::Parse({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  const Target::Sql sql = target->ToSql(FactsOf(true).now);
  const auto marks = std::count(sql.where.begin(), sql.where.end(), '?');
  Require(static_cast<std::size_t>(marks) == sql.parameters.size(), "a parameter for each mark");
  Require(sql.where.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "_(),?<>= 1") == std::string::npos,
          "SQL has no quotes, no comments, no separators");
  const Truth all = target->Evaluate(FactsOf(true));
  const Truth some = target->Evaluate(FactsOf(false));
  Require(all != Truth::kUnknown, "who knows all is sure");
  Require(some == Truth::kUnknown || some == all, "who knows less does not contradict");
  return 0;
}
