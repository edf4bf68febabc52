// The tree of a target expression: what target_parser.cpp builds and target.cpp evaluates. Private
// to this folder.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proto/ids.h"
#include "proto/pattern.h"
#include "proto/target.h"
#include "util/clock.h"

namespace mig {

// A column, or what stands under `key` in a JSON column.
struct TargetField {
  std::string_view column;  // one of the parser's constants
  std::string key;          // environment and tags only
};

struct TargetAll {};

struct TargetFound {
  ActionId action;
  bool want = true;  // found or notfound
};

// =, !=, IN, NOT IN.
struct TargetEqual {
  TargetField field;
  std::vector<std::string> values;
  bool negated = false;
};

enum class MatchOperator { kLike, kIlike, kRegex, kRegexNoCase };

// LIKE, ILIKE, ~, ~* and their negations.
struct TargetMatch {
  TargetField field;
  MatchOperator by = MatchOperator::kLike;
  std::string written;  // the pattern as it stands in the target
  std::string regex;    // what it means
  Pattern pattern;      // the same, compiled
  bool negated = false;
};

enum class TimeOrder { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

// heartbeattime against a time, or a distance from the present.
struct TargetTime {
  TimeOrder order = TimeOrder::kEqual;
  bool relative = false;
  UtcTime time;
  std::chrono::milliseconds offset{0};  // from now

  UtcTime At(UtcTime now) const { return relative ? now + offset : time; }
};

// IS NULL, IS NOT NULL.
struct TargetNull {
  TargetField field;
  bool negated = false;
};

struct TargetNot {
  std::unique_ptr<Target::Node> inner;
};

// AND or OR over two or more. A list, not pairs, so that a long chain is no deep tree.
struct TargetChain {
  bool conjunction = true;
  std::vector<std::unique_ptr<Target::Node>> parts;
};

struct Target::Node {
  std::variant<TargetAll, TargetFound, TargetEqual, TargetMatch, TargetTime, TargetNull, TargetNot,
               TargetChain>
      what;
};

// target_parser.cpp. Errors as Target::Parse.
Expected<std::unique_ptr<Target::Node>> ParseTarget(std::string_view text);

}  // namespace mig
