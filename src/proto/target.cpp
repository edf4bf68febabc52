#include "proto/target.h"

#include <algorithm>
#include <cassert>

#include "proto/target_node.h"

namespace mig {
namespace {

// Which of SQL's three truth values an expression may take, given what is known: one bit each. A
// single Truth would not do: a tag that is known to be absent makes a comparison NULL, which NOT
// leaves NULL and no row is selected by; a fact that is not known may be anything.
using Outcomes = unsigned;
constexpr Outcomes kCanBeTrue = 1;
constexpr Outcomes kCanBeFalse = 2;
constexpr Outcomes kCanBeNull = 4;
constexpr Outcomes kAnything = kCanBeTrue | kCanBeFalse | kCanBeNull;
constexpr Outcomes kTrueOrFalse = kCanBeTrue | kCanBeFalse;

Outcomes Certainly(bool truth) { return truth ? kCanBeTrue : kCanBeFalse; }

Outcomes Negate(Outcomes a) {
  return ((a & kCanBeTrue) != 0 ? kCanBeFalse : 0) | ((a & kCanBeFalse) != 0 ? kCanBeTrue : 0) |
         (a & kCanBeNull);
}

Outcomes Both(Outcomes a, Outcomes b) {
  Outcomes both = (a | b) & kCanBeFalse;
  if ((a & b & kCanBeTrue) != 0) both |= kCanBeTrue;
  const Outcomes not_false = kCanBeTrue | kCanBeNull;
  if (((a & kCanBeNull) != 0 && (b & not_false) != 0) ||
      ((b & kCanBeNull) != 0 && (a & not_false) != 0)) {
    both |= kCanBeNull;
  }
  return both;
}

Outcomes Either(Outcomes a, Outcomes b) { return Negate(Both(Negate(a), Negate(b))); }

bool Holds(TimeOrder order, UtcTime a, UtcTime b) {
  switch (order) {
    case TimeOrder::kEqual:
      return a == b;
    case TimeOrder::kNotEqual:
      return a != b;
    case TimeOrder::kLess:
      return a < b;
    case TimeOrder::kLessOrEqual:
      return a <= b;
    case TimeOrder::kGreater:
      return a > b;
    case TimeOrder::kGreaterOrEqual:
      return a >= b;
  }
  return false;
}

std::string_view SqlOf(TimeOrder order) {
  switch (order) {
    case TimeOrder::kEqual:
      return " = ?";
    case TimeOrder::kNotEqual:
      return " <> ?";
    case TimeOrder::kLess:
      return " < ?";
    case TimeOrder::kLessOrEqual:
      return " <= ?";
    case TimeOrder::kGreater:
      return " > ?";
    case TimeOrder::kGreaterOrEqual:
      return " >= ?";
  }
  return "";
}

class Evaluator {
 public:
  explicit Evaluator(const Target::Facts& facts) : facts_(facts) {}

  Outcomes Of(const Target::Node& node) const { return std::visit(*this, node.what); }

  Outcomes operator()(const TargetAll&) const { return kCanBeTrue; }
  Outcomes operator()(const TargetFound& found) const {
    switch (found.want ? facts_.found(found.action) : facts_.notfound(found.action)) {
      case Truth::kTrue:
        return kCanBeTrue;
      case Truth::kFalse:
        return kCanBeFalse;
      case Truth::kUnknown:
        break;
    }
    return kTrueOrFalse;
  }
  Outcomes operator()(const TargetEqual& equal) const {
    const auto value = ValueOf(equal.field);
    if (!value) return kAnything;
    if (!*value) return kCanBeNull;
    const bool found =
        std::find(equal.values.begin(), equal.values.end(), **value) != equal.values.end();
    return Certainly(found != equal.negated);
  }
  Outcomes operator()(const TargetMatch& match) const {
    const auto value = ValueOf(match.field);
    if (!value) return kAnything;
    if (!*value) return kCanBeNull;
    return Certainly(match.pattern.Matches(**value) != match.negated);
  }
  Outcomes operator()(const TargetTime& time) const {
    const auto value = facts_.value("heartbeattime", "");
    if (!value) return kAnything;
    if (!*value) return kCanBeNull;
    const auto at = ParseRfc3339(**value);
    if (!at) return kAnything;
    return Certainly(Holds(time.order, *at, time.At(facts_.now)));
  }
  Outcomes operator()(const TargetNull& null) const {
    const auto value = ValueOf(null.field);
    if (!value) return kTrueOrFalse;
    return Certainly(value->has_value() == null.negated);
  }
  Outcomes operator()(const TargetNot& negation) const { return Negate(Of(*negation.inner)); }
  Outcomes operator()(const TargetChain& chain) const {
    Outcomes all = Certainly(chain.conjunction);
    for (const auto& part : chain.parts) {
      all = chain.conjunction ? Both(all, Of(*part)) : Either(all, Of(*part));
    }
    return all;
  }

 private:
  std::optional<std::optional<std::string>> ValueOf(const TargetField& field) const {
    return facts_.value(field.column, field.key);
  }

  const Target::Facts& facts_;
};

class SqlWriter {
 public:
  SqlWriter(Target::Sql& sql, UtcTime now) : sql_(sql), now_(now) {}

  void Write(const Target::Node& node) const { std::visit(*this, node.what); }

  void operator()(const TargetAll&) const { sql_.where += "1"; }
  void operator()(const TargetFound& found) const {
    sql_.where += "mig_found(id, ?, ?)";
    sql_.parameters.emplace_back(found.action.Text());
    sql_.parameters.emplace_back(std::int64_t{found.want ? 1 : 0});
  }
  void operator()(const TargetEqual& equal) const {
    WriteField(equal.field);
    sql_.where += equal.negated ? " NOT IN (" : " IN (";
    for (std::size_t i = 0; i < equal.values.size(); ++i) {
      sql_.where += i == 0 ? "?" : ",?";
      sql_.parameters.emplace_back(equal.values[i]);
    }
    sql_.where += ")";
  }
  void operator()(const TargetMatch& match) const {
    sql_.where += match.negated ? "NOT mig_match(" : "mig_match(";
    WriteField(match.field);
    sql_.where += ", ?)";
    sql_.parameters.emplace_back(match.regex);
  }
  void operator()(const TargetTime& time) const {
    sql_.where += "heartbeattime";
    sql_.where += SqlOf(time.order);
    sql_.parameters.emplace_back(
        static_cast<std::int64_t>(time.At(now_).time_since_epoch().count()));
  }
  void operator()(const TargetNull& null) const {
    WriteField(null.field);
    sql_.where += null.negated ? " IS NOT NULL" : " IS NULL";
  }
  void operator()(const TargetNot& negation) const {
    sql_.where += "NOT (";
    Write(*negation.inner);
    sql_.where += ")";
  }
  void operator()(const TargetChain& chain) const { WriteRange(chain, 0, chain.parts.size()); }

 private:
  // SQLite reads a AND b AND c as a tree as deep as the chain is long, and stops at 1000: so the
  // chain is written in halves.
  void WriteRange(const TargetChain& chain, std::size_t begin, std::size_t end) const {
    if (end - begin == 1) {
      Write(*chain.parts[begin]);
      return;
    }
    const std::size_t middle = begin + (end - begin) / 2;
    sql_.where += "(";
    WriteRange(chain, begin, middle);
    sql_.where += chain.conjunction ? " AND " : " OR ";
    WriteRange(chain, middle, end);
    sql_.where += ")";
  }

  void WriteField(const TargetField& field) const {
    if (field.key.empty()) {
      sql_.where += field.column;
      return;
    }
    // As text, so that a number in the JSON equals its digits, as FieldText has it.
    sql_.where.append("CAST(json_extract(").append(field.column).append(", ?) AS TEXT)");
    sql_.parameters.emplace_back("$.\"" + field.key + "\"");
  }

  Target::Sql& sql_;
  UtcTime now_;
};

}  // namespace

Target::Target(std::unique_ptr<Node> root) : root_(std::move(root)) {}
Target::Target(Target&&) noexcept = default;
Target& Target::operator=(Target&&) noexcept = default;
Target::~Target() = default;

Expected<Target> Target::Parse(std::string_view text) {
  auto root = ParseTarget(text);
  if (!root) return std::move(root).error();
  assert(*root && "a tree or an error");
  return Target(std::move(*root));
}

Truth Target::Evaluate(const Facts& facts) const {
  const Outcomes outcomes = Evaluator(facts).Of(*root_);
  if (outcomes == kCanBeTrue) return Truth::kTrue;
  return (outcomes & kCanBeTrue) != 0 ? Truth::kUnknown : Truth::kFalse;
}

Target::Sql Target::ToSql(UtcTime now) const {
  Sql sql;
  sql.where = "(";
  SqlWriter(sql, now).Write(*root_);
  sql.where += ")";
  return sql;
}

std::optional<std::string> FieldText(const json::object& fields, std::string_view key) {
  const json::value* v = fields.if_contains(key);
  if (v == nullptr || v->is_null()) return std::nullopt;
  if (v->is_string()) return std::string(v->get_string());
  if (v->is_bool()) return v->get_bool() ? "1" : "0";  // as SQLite's json_extract
  return json::Write(*v);
}

}  // namespace mig
