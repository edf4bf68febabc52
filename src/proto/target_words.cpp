// A target expression in plain words, for people who are to sign or approve an action.
#include <algorithm>

#include "proto/target_node.h"

namespace mig {
namespace {

// As the expression writes texts, so that a quote in one cannot pretend to be its end.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

std::string ListOf(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + Quoted(value);
  return list;
}

std::string NameOf(const TargetField& field) {
  if (field.column == "environment") return "the environment's " + Quoted(field.key);
  if (field.column == "tags") return "the tag " + Quoted(field.key);
  if (field.column == "status") return "the server's word for its status";
  if (field.column == "heartbeattime") return "its last heartbeat";
  return "the " + std::string(field.column);
}

// "web%" is a beginning, "%web" an end, "%web%" something inside; nothing for other patterns.
struct Plain {
  std::string_view verb;
  std::string_view text;
};
std::optional<Plain> PlainPattern(std::string_view like) {
  const bool open_end = like.ends_with('%');
  if (open_end) like.remove_suffix(1);
  const bool open_begin = like.starts_with('%');
  if (open_begin) like.remove_prefix(1);
  if (like.empty() || like.find_first_of("%_\\") != std::string_view::npos) return std::nullopt;
  return Plain{
      open_begin ? (open_end ? "contains" : "ends with") : (open_end ? "begins with" : "is"), like};
}

std::string_view VerbOf(TimeOrder order) {
  switch (order) {
    case TimeOrder::kEqual:
      return "was at";
    case TimeOrder::kNotEqual:
      return "was not at";
    case TimeOrder::kLess:
      return "was before";
    case TimeOrder::kLessOrEqual:
      return "was not after";
    case TimeOrder::kGreater:
      return "was after";
    case TimeOrder::kGreaterOrEqual:
      return "was not before";
  }
  return "";
}

struct Speaker {
  // Of an AND or OR: what binds less tightly than its surroundings stands in parentheses.
  static std::string Part(const Target::Node& node) {
    std::string words = std::visit(Speaker(), node.what);
    return std::holds_alternative<TargetChain>(node.what) ? "(" + words + ")" : words;
  }

  std::string operator()(const TargetAll&) const { return "it is any machine"; }
  std::string operator()(const TargetFound& found) const {
    return "the server says that it found " + std::string(found.want ? "something" : "nothing") +
           " in action " + found.action.Text();
  }
  std::string operator()(const TargetEqual& equal) const {
    const std::string not_ = equal.negated ? "not " : "";
    if (equal.values.size() == 1) {
      return NameOf(equal.field) + " is " + not_ + Quoted(equal.values[0]);
    }
    return NameOf(equal.field) + " is " + not_ + "one of " + ListOf(equal.values);
  }
  std::string operator()(const TargetMatch& match) const {
    const std::string name = NameOf(match.field);
    const bool like = match.by == MatchOperator::kLike || match.by == MatchOperator::kIlike;
    std::string words;
    if (const auto plain = like ? PlainPattern(match.written) : std::nullopt) {
      words = std::string(plain->verb) + " " + Quoted(plain->text);
    } else if (like) {
      words = "looks like " + Quoted(match.written) + " (% any text, _ one character)";
    } else {
      words = "matches the regular expression " + Quoted(match.written);
    }
    if (match.by == MatchOperator::kIlike || match.by == MatchOperator::kRegexNoCase) {
      words += ", upper or lower case";
    }
    if (!match.negated) return name + " " + words;
    return "it is not so that " + name + " " + words;
  }
  std::string operator()(const TargetTime& time) const {
    std::string words = "its last heartbeat " + std::string(VerbOf(time.order)) + " ";
    if (!time.relative) return words + FormatRfc3339(time.time);
    if (time.offset.count() == 0) return words + "now";
    return words + FormatDuration(std::chrono::abs(time.offset)) +
           (time.offset.count() < 0 ? " ago" : " from now");
  }
  std::string operator()(const TargetNull& null) const {
    return NameOf(null.field) + (null.negated ? " is there" : " is not there");
  }
  std::string operator()(const TargetNot& inverse) const {
    return "it is not so that " + Part(*inverse.inner);
  }
  std::string operator()(const TargetChain& chain) const {
    std::string words;
    for (const auto& part : chain.parts) {
      if (!words.empty()) words += chain.conjunction ? " and " : " or ";
      words += Part(*part);
    }
    return words;
  }
};

bool Asks(const Target::Node& node) {
  struct Asker {
    static bool Of(const TargetField& field) {
      return field.column == "status" || field.column == "heartbeattime";
    }
    bool operator()(const TargetAll&) const { return false; }
    bool operator()(const TargetFound&) const { return true; }
    bool operator()(const TargetEqual& equal) const { return Of(equal.field); }
    bool operator()(const TargetMatch& match) const { return Of(match.field); }
    bool operator()(const TargetTime&) const { return true; }
    bool operator()(const TargetNull& null) const { return Of(null.field); }
    bool operator()(const TargetNot& inverse) const { return Asks(*inverse.inner); }
    bool operator()(const TargetChain& chain) const {
      return std::any_of(chain.parts.begin(), chain.parts.end(),
                         [](const auto& part) { return Asks(*part); });
    }
  };
  return std::visit(Asker(), node.what);
}

}  // namespace

std::string Target::Words() const {
  if (std::holds_alternative<TargetAll>(root_->what)) return "";
  return std::visit(Speaker(), root_->what);
}

bool Target::AsksTheServer() const { return Asks(*root_); }

}  // namespace mig
