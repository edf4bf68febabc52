#include "roles/client/target_note.h"

namespace mig {
namespace {

constexpr std::size_t kWidth = 43;

}  // namespace

std::span<const TargetExample> TargetExamples() {
  static constexpr TargetExample kExamples[] = {
      {"all", "every machine"},
      {"name LIKE 'web%' AND NOT name = 'web7'", "also OR, ( ), IN ('a', 'b'), !="},
      {"name ~ '^db[0-9]+'", "a regular expression; ~* minds no case"},
      {"environment->>'os' = 'linux'", "also arch, ident, hostname, init, kernel"},
      {"tags->>'operator' IN ('it', 'sec')", "as people granted; IS NULL: has none"},
      {"status = 'online'", "or idle: silent; offline: away"},
      {"heartbeattime > now - 1h", "heard of within the hour"},
      {"found(3t4uxh5p7ysolzdtxgzkjnvwaq)", "found something in that action; notfound()"},
  };
  return kExamples;
}

std::string TargetNote() {
  std::string note = "A target is an expression over what machines say of themselves:";
  for (const TargetExample& example : TargetExamples()) {
    note += "\n    " + std::string(example.expression);
    note.append(kWidth - example.expression.size(), ' ');
    note += example.remark;
  }
  return note;
}

}  // namespace mig
