// What the help of a verb says of targets (proto/target.h, src/proto/wire.md), by examples.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mig {

struct TargetExample {
  std::string_view expression;
  std::string_view remark;
};
std::span<const TargetExample> TargetExamples();

// The examples as a paragraph of a help page.
std::string TargetNote();

}  // namespace mig
