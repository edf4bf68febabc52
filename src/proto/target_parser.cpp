// Reads a target expression by recursive descent: one token of look-ahead, one function for each
// rule of the grammar in wire.md, "Target".
#include <algorithm>
#include <array>
#include <optional>

#include "proto/action.h"
#include "proto/target_node.h"
#include "util/text.h"

namespace mig {
namespace {

constexpr int kMaxNesting = 64;
constexpr int kMaxRegexes = 32;  // each may take 1 MiB (proto/pattern.h)
constexpr std::size_t kMaxKeyBytes = 256;

using NodePtr = std::unique_ptr<Target::Node>;

enum class FieldType { kText, kId, kTime, kJson };
struct KnownField {
  std::string_view name;
  FieldType type;
};
// To add a field: a line here, a column of that name in the store, a fact at the agent.
constexpr KnownField kFields[] = {
    {"environment", FieldType::kJson},
    {"heartbeattime", FieldType::kTime},
    {"id", FieldType::kId},
    {"name", FieldType::kText},
    {"status", FieldType::kText},
    {"tags", FieldType::kJson},
    {"version", FieldType::kText},
};

// Longest first, so that `!~*` is not read as `!~`.
constexpr std::string_view kSymbols[] = {"->>", "#>>", "!~*", "~*", "!~", "!=", "<>", "<=", ">=",
                                         "~",   "=",   "<",   ">",  "(",  ")",  ",",  "+",  "-"};

enum class TokenType { kWord, kString, kSymbol, kEnd };
struct Token {
  TokenType type = TokenType::kEnd;
  std::string text;  // words in lower case, strings without their quotes
  std::size_t at = 0;
};

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Error Malformed(std::size_t at, std::string_view message) {
  return Error(Errc::kMalformed,
               "target: character " + std::to_string(at + 1) + ": " + std::string(message));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Expected<Token> Next() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    Token token{TokenType::kEnd, "", at_};
    if (at_ == text_.size()) return token;
    const std::string_view rest = text_.substr(at_);
    if (rest[0] == '\'') return String(std::move(token));
    if (IsWordCharacter(rest[0])) {
      const auto end = std::find_if_not(rest.begin(), rest.end(), IsWordCharacter);
      token.type = TokenType::kWord;
      token.text = LowerAscii(rest.substr(0, static_cast<std::size_t>(end - rest.begin())));
      at_ += token.text.size();
      return token;
    }
    for (const std::string_view symbol : kSymbols) {
      if (!rest.starts_with(symbol)) continue;
      token.type = TokenType::kSymbol;
      token.text = symbol;
      at_ += symbol.size();
      return token;
    }
    if (rest[0] == '"') return Malformed(at_, "texts stand in single quotes: 'linux'");
    return Malformed(
        at_, "`" + EscapeForTerminal(FirstCharacter(rest)) + "` has no meaning in a target");
  }

 private:
  static std::string_view FirstCharacter(std::string_view utf8) {
    std::size_t size = 1;
    while (size < utf8.size() && (static_cast<unsigned char>(utf8[size]) & 0xC0) == 0x80) ++size;
    return utf8.substr(0, size);
  }

  Expected<Token> String(Token token) {
    token.type = TokenType::kString;
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] != '\'') {
        token.text += text_[i];
      } else if (i + 1 < text_.size() && text_[i + 1] == '\'') {
        token.text += '\'';
        ++i;
      } else {
        at_ = i + 1;
        return token;
      }
    }
    return Malformed(token.at, "the text that begins here has no closing quote");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// The milliseconds of PostgreSQL's INTERVAL '30 days', as MIG's users write it.
std::optional<std::chrono::milliseconds> ParseInterval(std::string_view text) {
  const std::string lower = LowerAscii(text);
  std::string compact;
  for (const std::string_view word : Split(lower, ' ')) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kUnits = {
        {{"second", "s"}, {"minute", "m"}, {"hour", "h"}, {"day", "d"}}};
    const std::string_view singular = word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                   [&](const auto& u) { return u.first == singular; });
    compact += unit != kUnits.end() ? unit->second : word;
  }
  auto duration = ParseDuration(compact);
  if (!duration) return std::nullopt;
  return *duration;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Expected<NodePtr> Parse() {
    Advance();
    NodePtr root = Or();
    if (!error_ && token_.type != TokenType::kEnd) Fail("AND, OR or the end expected");
    if (error_) return *error_;
    return root;
  }

 private:
  // ---- tokens. After the first error the input counts as ended, so that every rule returns.
  void Fail(std::string_view message) { Fail(Malformed(token_.at, message)); }
  void Fail(Error error) {
    if (!error_) error_.emplace(std::move(error));
    token_ = Token();
  }
  void Advance() {
    if (error_) return;
    auto token = lexer_.Next();
    if (token) {
      token_ = std::move(*token);
    } else {
      Fail(std::move(token).error());
    }
  }
  bool At(TokenType type, std::string_view text) const {
    return token_.type == type && token_.text == text;
  }
  bool Take(TokenType type, std::string_view text) {
    if (!At(type, text)) return false;
    Advance();
    return true;
  }
  bool TakeWord(std::string_view word) { return Take(TokenType::kWord, word); }
  bool TakeSymbol(std::string_view symbol) { return Take(TokenType::kSymbol, symbol); }
  void Require(std::string_view symbol) {
    if (!TakeSymbol(symbol)) Fail("`" + std::string(symbol) + "` expected");
  }
  std::string TakeString(std::string_view what) {
    if (token_.type != TokenType::kString) {
      Fail(std::string(what) + " in single quotes expected");
      return {};
    }
    std::string text = std::move(token_.text);
    Advance();
    return text;
  }

  template <typename What>
  static NodePtr MakeNode(What what) {
    auto node = std::make_unique<Target::Node>();
    node->what = std::move(what);
    return node;
  }

  // ---- grammar
  NodePtr Or() { return Chain(false); }

  NodePtr Chain(bool conjunction) {
    TargetChain chain;
    chain.conjunction = conjunction;
    do {
      chain.parts.push_back(conjunction ? Unary() : Chain(true));
    } while (TakeWord(conjunction ? "and" : "or"));
    return chain.parts.size() == 1 ? std::move(chain.parts[0]) : MakeNode(std::move(chain));
  }

  NodePtr Unary() {
    if (!At(TokenType::kWord, "not") && !At(TokenType::kSymbol, "(")) return Primary();
    if (++nesting_ > kMaxNesting) {
      Fail("nested more than 64 deep");
      return nullptr;
    }
    NodePtr node;
    if (TakeWord("not")) {
      node = MakeNode(TargetNot{Unary()});
    } else {
      Require("(");
      node = Or();
      Require(")");
    }
    --nesting_;
    return node;
  }

  NodePtr Primary() {
    if (TakeWord("all")) return MakeNode(TargetAll());
    if (TakeWord("found")) return Found(true);
    if (TakeWord("notfound")) return Found(false);
    return Comparison();
  }

  NodePtr Found(bool want) {
    Require("(");
    auto id = ActionId::Parse(token_.text);
    if (!id || (token_.type != TokenType::kWord && token_.type != TokenType::kString)) {
      Fail("the id of an action expected (26 characters a-z2-7)");
      return nullptr;
    }
    Advance();
    Require(")");
    return MakeNode(TargetFound{*id, want});
  }

  NodePtr Comparison() {
    const KnownField* known = Field();
    if (known == nullptr) return nullptr;
    TargetField field{known->name, {}};
    if (known->type == FieldType::kJson) field.key = Key(known->name);
    if (TakeWord("is")) {
      const bool negated = TakeWord("not");
      if (!TakeWord("null")) Fail("NULL or NOT NULL expected");
      return MakeNode(TargetNull{std::move(field), negated});
    }
    if (known->type == FieldType::kTime) return Time();
    return Text(*known, std::move(field));
  }

  const KnownField* Field() {
    if (token_.type == TokenType::kWord) {
      for (const KnownField& field : kFields) {
        if (field.name != token_.text) continue;
        Advance();
        return &field;
      }
      std::vector<std::string> names = {"all", "found", "notfound"};
      for (const KnownField& field : kFields) names.emplace_back(field.name);
      const std::string hint = DidYouMean(token_.text, names);
      Fail("`" + token_.text + "` is no field of an agent" + (hint.empty() ? "" : ", " + hint));
    } else {
      Fail(
          "a field (name, id, status, version, heartbeattime, environment, tags), found(…), "
          "NOT or `(` expected");
    }
    return nullptr;
  }

  // ->>'key', or #>>'{key}' as PostgreSQL and MIG's documentation have it.
  std::string Key(std::string_view column) {
    const bool path = At(TokenType::kSymbol, "#>>");
    if (!path && !At(TokenType::kSymbol, "->>")) {
      Fail("`->>'key'` expected after `" + std::string(column) + "`");
      return {};
    }
    Advance();
    const std::size_t at = token_.at;
    std::string key = TakeString("a key");
    if (path && key.size() > 2 && key.front() == '{' && key.back() == '}') {
      key = key.substr(1, key.size() - 2);
    }
    // What a JSON path of SQLite can name in quotes, unchanged by any escape.
    if (key.empty() || key.size() > kMaxKeyBytes ||
        key.find_first_of("\"\\") != std::string::npos) {
      if (!error_) Fail(Malformed(at, "a key has 1..256 bytes, none of them \" or \\"));
    }
    return key;
  }

  NodePtr Text(const KnownField& known, TargetField field) {
    bool negated = false;
    if (TakeSymbol("=") || (negated = TakeSymbol("!=") || TakeSymbol("<>"))) {
      TargetEqual equal{std::move(field), {}, negated};
      equal.values.push_back(Value(known));
      return MakeNode(std::move(equal));
    }
    if (TakeSymbol("~") || (negated = TakeSymbol("!~"))) {
      return Match(std::move(field), MatchOperator::kRegex, negated);
    }
    if (TakeSymbol("~*") || (negated = TakeSymbol("!~*"))) {
      return Match(std::move(field), MatchOperator::kRegexNoCase, negated);
    }
    negated = TakeWord("not");
    if (TakeWord("in")) {
      TargetEqual equal{std::move(field), {}, negated};
      Require("(");
      do {
        equal.values.push_back(Value(known));
      } while (TakeSymbol(","));
      Require(")");
      return MakeNode(std::move(equal));
    }
    if (TakeWord("like")) return Match(std::move(field), MatchOperator::kLike, negated);
    if (TakeWord("ilike")) return Match(std::move(field), MatchOperator::kIlike, negated);
    if (negated) {
      Fail("IN, LIKE or ILIKE expected after NOT");
    } else if (At(TokenType::kSymbol, "<") || At(TokenType::kSymbol, ">") ||
               At(TokenType::kSymbol, "<=") || At(TokenType::kSymbol, ">=")) {
      Fail("`" + token_.text + "` compares times only (heartbeattime)");
    } else {
      Fail("=, !=, IN, LIKE, ILIKE, ~, ~*, IS or NOT expected");
    }
    return nullptr;
  }

  std::string Value(const KnownField& known) {
    const std::size_t at = token_.at;
    std::string value = TakeString("a text");
    // A mistyped id would name nobody and say nothing.
    if (!error_ && known.type == FieldType::kId) {
      if (auto id = AgentId::Parse(value); !id) Fail(Malformed(at, id.error().message()));
    }
    return value;
  }

  NodePtr Match(TargetField field, MatchOperator by, bool negated) {
    const bool like = by == MatchOperator::kLike || by == MatchOperator::kIlike;
    if (!like && ++regexes_ > kMaxRegexes) Fail("more than 32 regular expressions");
    const std::size_t at = token_.at;
    std::string written = TakeString(like ? "a pattern" : "a regular expression");
    Expected<std::string> regex = like
                                      ? LikeToRegex(written, by == MatchOperator::kIlike)
                                      : (by == MatchOperator::kRegexNoCase ? "(?i)" : "") + written;
    if (error_) return nullptr;
    if (!regex) {
      Fail(Malformed(at, regex.error().message()));
      return nullptr;
    }
    auto pattern = Pattern::Compile(*regex);
    if (!pattern) {
      Fail(Malformed(at, pattern.error().message()));
      return nullptr;
    }
    return MakeNode(TargetMatch{std::move(field), by, std::move(written), std::move(*regex),
                                std::move(*pattern), negated});
  }

  NodePtr Time() {
    static constexpr std::array<std::pair<std::string_view, TimeOrder>, 7> kOrders = {{
        {"=", TimeOrder::kEqual},
        {"!=", TimeOrder::kNotEqual},
        {"<>", TimeOrder::kNotEqual},
        {"<", TimeOrder::kLess},
        {"<=", TimeOrder::kLessOrEqual},
        {">", TimeOrder::kGreater},
        {">=", TimeOrder::kGreaterOrEqual},
    }};
    for (const auto& [symbol, order] : kOrders) {
      if (!TakeSymbol(symbol)) continue;
      TargetTime time;
      time.order = order;
      ReadTime(time);
      return MakeNode(time);
    }
    Fail("<, <=, >, >=, =, != or IS expected after heartbeattime");
    return nullptr;
  }

  void ReadTime(TargetTime& time) {
    if (token_.type == TokenType::kString) {
      auto parsed = ParseRfc3339(token_.text);
      if (!parsed) {
        Fail(parsed.error().message());
        return;
      }
      time.time = *parsed;
      Advance();
      return;
    }
    if (!TakeWord("now")) {
      Fail("a time like '2026-11-23T09:30:00Z' or now - 1h expected");
      return;
    }
    if (TakeSymbol("(")) Require(")");
    time.relative = true;
    const bool minus = TakeSymbol("-");
    if (!minus && !TakeSymbol("+")) return;
    const auto distance = Distance();
    time.offset = minus ? -distance : distance;
  }

  std::chrono::milliseconds Distance() {
    const bool interval = TakeWord("interval");
    const bool right = token_.type == (interval ? TokenType::kString : TokenType::kWord);
    const auto distance = ParseInterval(token_.text);
    if (!right || !distance) {
      Fail(interval ? "an interval like '30 minutes' expected"
                    : "a duration like 90s, 5m, 1h30m or 2d expected");
      return {};
    }
    Advance();
    return *distance;
  }

  Lexer lexer_;
  Token token_;
  std::optional<Error> error_;
  int nesting_ = 0;
  int regexes_ = 0;
};

}  // namespace

Expected<NodePtr> ParseTarget(std::string_view text) {
  if (text.size() > kMaxTargetBytes) {
    return Error(Errc::kMalformed,
                 "target: " + std::to_string(text.size()) + " bytes; at most 8192");
  }
  if (!IsUtf8(text) || std::any_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && !IsSpace(c)) || c == 0x7F;
      })) {
    return Error(Errc::kMalformed, "target: is not plain UTF-8 text");
  }
  return Parser(text).Parse();
}

}  // namespace mig
