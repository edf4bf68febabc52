#include "modules/file/pattern.h"

#include <re2/re2.h>

#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <optional>

namespace mig::file {
namespace {

constexpr std::int64_t kRegexMemory = 8 << 20;

// How common a byte is in ordinary files, roughly: 0 rare, 3 everywhere. Only speed depends on it.
constexpr std::array<unsigned char, 256> CommonBytes() {
  std::array<unsigned char, 256> rank{};
  for (const char c : {'\0', ' ', 'e', 't', 'a', 'o', 'i', 'n', 's', 'r'}) {
    rank[static_cast<unsigned char>(c)] = 3;
  }
  for (const char c : {'l', 'd', 'c',  'u', 'm', 'p', 'f', 'g', 'h', '_',   '.',
                       '/', '-', '\t', '0', '1', ',', ':', '=', '"', '\xff'}) {
    rank[static_cast<unsigned char>(c)] = 2;
  }
  for (const char c : {'b', 'y', 'w', 'v', 'k', 'x', '2', '3', '4', '5', '6', '7',    '8',
                       '9', '(', ')', 'S', 'E', 'T', 'A', 'C', 'I', 'R', 'N', '\x01', '\''}) {
    rank[static_cast<unsigned char>(c)] = 1;
  }
  return rank;
}
constexpr auto kCommon = CommonBytes();

constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Sixteen bytes at once, in whatever the processor has for that (GCC's and clang's vector types).
using Vector = unsigned char __attribute__((vector_size(16)));
constexpr std::size_t kLanes = sizeof(Vector);

Vector Load(const char* at) {
  Vector vector;
  std::memcpy(&vector, at, sizeof vector);
  return vector;
}

bool AnyBit(const Vector& vector) {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &vector, sizeof vector);
  return (halves[0] | halves[1]) != 0;
}

bool NamesCharacters(const std::string& pattern) {
  for (const char c : pattern) {
    if (static_cast<unsigned char>(c) >= 0x80) return true;
  }
  for (const char* escape : {"\\p", "\\P", "\\x{"}) {
    if (pattern.find(escape) != std::string::npos) return true;
  }
  return false;
}

// Whether the pattern means the same over a block of lines as over each line, once ^ and $ stand
// for the ends of lines. \A and \z, and (?-m), do not let themselves be told; \C matches even a
// line break.
bool FitsBlocks(const std::string& pattern) {
  for (const char* special : {"\\A", "\\z", "\\C", "\\Q"}) {
    if (pattern.find(special) != std::string::npos) return false;
  }
  for (std::size_t at = pattern.find("(?"); at != std::string::npos;
       at = pattern.find("(?", at + 2)) {
    const std::size_t end = pattern.find_first_of(":)<", at);
    if (pattern.substr(at, end - at).find('-') != std::string::npos) return false;
  }
  return true;
}

// Skips a character class or a group that begins at `at`; npos when it does not end.
std::size_t SkipClass(const std::string& pattern, std::size_t at) {
  std::size_t i = at + 1;
  if (i < pattern.size() && pattern[i] == '^') ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[' && i + 1 < pattern.size() && pattern[i + 1] == ':') {
      const std::size_t end = pattern.find(":]", i + 2);
      if (end == std::string::npos) return std::string::npos;
      i = end + 1;
    } else if (pattern[i] == ']') {
      return i + 1;
    }
  }
  return std::string::npos;
}

std::size_t SkipGroup(const std::string& pattern, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (pattern[i] == '[') {
      const std::size_t end = SkipClass(pattern, i);
      if (end == std::string::npos) return end;
      i = end - 1;
    } else if (pattern[i] == '(') {
      ++depth;
    } else if (pattern[i] == ')' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string::npos;
}

// Past "{2}", "{2,}" or "{2,3}"; past the brace alone where it is none of these and means itself.
std::size_t SkipRepetition(const std::string& pattern, std::size_t at) {
  const std::size_t end = pattern.find_first_not_of("0123456789,", at + 1);
  const bool repetition = end != std::string::npos && pattern[end] == '}' && end > at + 1;
  return repetition ? end + 1 : at + 1;
}

}  // namespace

struct BytePattern::Compiled {
  Compiled(const std::string& text, const re2::RE2::Options& options) : line(text, options) {}
  re2::RE2 line;
  std::optional<re2::RE2> block;
};

BytePattern::BytePattern() = default;
BytePattern::~BytePattern() = default;

std::string RequiredLiteral(const std::string& pattern, bool* fold, bool* whole) {
  *whole = false;
  *fold = false;
  bool only_literals = true;
  std::string best;
  std::string run;
  const auto break_run = [&] {
    only_literals = false;
    if (run.size() > best.size()) best = run;
    run.clear();
  };
  // Where this parser does not go on, what it has is good unless an alternative follows.
  const auto stop_at = [&](std::size_t i) {
    break_run();
    return pattern.find('|', i) == std::string::npos ? best : std::string();
  };
  std::size_t begin = 0;
  if (pattern.starts_with("(?i)")) {
    // As UTF-8 even some ASCII letters have a third form (the Kelvin sign is a k).
    if (NamesCharacters(pattern)) return {};
    *fold = true;
    begin = 4;
  }
  for (std::size_t i = begin; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '|' || c == '\n') return {};
    if (c == '(' || c == '[') {
      // Flags in the middle may change what everything after them means.
      if (pattern.compare(i, 2, "(?") == 0) return {};
      break_run();
      i = c == '(' ? SkipGroup(pattern, i) : SkipClass(pattern, i);
      if (i == std::string::npos) return {};
      continue;
    }
    if (c == '*' || c == '?' || c == '{') {
      const std::size_t end = c == '{' ? SkipRepetition(pattern, i) : i + 1;
      // Perhaps not even once: the last character, all its bytes, is not required.
      while (!run.empty() && (static_cast<unsigned char>(run.back()) & 0xC0u) == 0x80u) {
        run.pop_back();
      }
      if (!run.empty()) run.pop_back();
      break_run();
      i = end;
      continue;
    }
    if (c == '+' || c == '^' || c == '$' || c == '.') {
      break_run();
      ++i;
      continue;
    }
    char literal = c;
    if (c == '\\') {
      if (i + 1 >= pattern.size()) return {};
      literal = pattern[++i];
      const bool is_class = std::strchr("dDsSwWbB", literal) != nullptr;
      const bool is_itself = std::ispunct(static_cast<unsigned char>(literal)) != 0;
      if (is_class) {
        break_run();
        ++i;
        continue;
      }
      if (!is_itself) return stop_at(i);  // \x41, \pL, \Q…\E, \n: not followed here
    }
    run += *fold ? Lower(literal) : literal;
    ++i;
  }
  if (run.size() > best.size()) best = run;
  *whole = only_literals && !best.empty();
  return best;
}

// Without repetition each character of the pattern takes at most one of the text, which UTF-8
// writes in up to four bytes. Escaped or in a class, these do not repeat; that is not looked into.
std::size_t LongestMatch(const std::string& pattern) {
  constexpr std::size_t kLongestCharacter = 4;
  return pattern.find_first_of("*+{") == std::string::npos ? pattern.size() * kLongestCharacter
                                                           : SIZE_MAX;
}

Literal::Literal(std::string text, bool fold) : text_(std::move(text)), fold_(fold) {
  const auto rank = [&](std::size_t i) { return kCommon[static_cast<unsigned char>(text_[i])]; };
  for (std::size_t i = 1; i < text_.size(); ++i) {
    if (rank(i) < rank(first_)) first_ = i;
  }
  second_ = first_ == 0 ? text_.size() - 1 : 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (i != first_ && text_[i] != text_[first_] && rank(i) < rank(second_)) second_ = i;
  }
}

bool Literal::IsAt(BytesView bytes, std::size_t at) const {
  if (!fold_) return std::memcmp(bytes.data() + at, text_.data(), text_.size()) == 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (Lower(bytes[at + i]) != text_[i]) return false;
  }
  return true;
}

std::size_t Literal::FindIn(BytesView bytes, std::size_t from) const {
  if (bytes.size() < text_.size()) return BytesView::npos;
  const std::size_t last = bytes.size() - text_.size();
  // With the bit 0x20 set both cases of a letter are the lower one; other bytes keep their bits.
  const auto mask = [&](std::size_t i) {
    return static_cast<unsigned char>(fold_ && IsLower(text_[i]) ? 0x20 : 0);
  };
  const unsigned char first_mask = mask(first_);
  const unsigned char second_mask = mask(second_);
  const auto first = static_cast<unsigned char>(text_[first_]);
  const auto second = static_cast<unsigned char>(text_[second_]);
  const auto candidates = [&](std::size_t at) {
    const Vector a = Load(bytes.data() + at + first_) | first_mask;
    const Vector b = Load(bytes.data() + at + second_) | second_mask;
    return reinterpret_cast<Vector>((a == first) & (b == second));
  };
  std::size_t at = from;
  // Whole vectors lie inside while the last lane's literal does.
  while (at + kLanes - 1 <= last) {
    // Four vectors are looked at as one: most memory has neither byte at its place.
    if (at + 4 * kLanes - 1 <= last) {
      const Vector any = candidates(at) | candidates(at + kLanes) | candidates(at + 2 * kLanes) |
                         candidates(at + 3 * kLanes);
      if (!AnyBit(any)) {
        at += 4 * kLanes;
        continue;
      }
    }
    const Vector hits = candidates(at);
    if (AnyBit(hits)) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (hits[lane] != 0 && IsAt(bytes, at + lane)) return at + lane;
      }
    }
    at += kLanes;
  }
  for (; at <= last; ++at) {
    if (IsAt(bytes, at)) return at;
  }
  return BytesView::npos;
}

Expected<std::shared_ptr<const BytePattern>> BytePattern::Compile(const std::string& text) {
  re2::RE2::Options options;
  if (!NamesCharacters(text)) options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  options.set_never_capture(true);
  std::shared_ptr<BytePattern> pattern(new BytePattern());
  pattern->compiled_ = std::make_unique<Compiled>(text, options);
  if (!pattern->compiled_->line.ok()) {
    return Error(Errc::kInvalid, "regular expression: " + pattern->compiled_->line.error());
  }
  if (FitsBlocks(text)) {
    options.set_never_nl(true);
    pattern->compiled_->block.emplace("(?m:" + text + ")", options);
    if (!pattern->compiled_->block->ok()) pattern->compiled_->block.reset();
  }
  bool fold = false;
  std::string required = RequiredLiteral(text, &fold, &pattern->is_literal_);
  pattern->required_ = Literal(std::move(required), fold);
  pattern->longest_ = LongestMatch(text);
  return std::shared_ptr<const BytePattern>(std::move(pattern));
}

bool BytePattern::Matches(BytesView text) const { return MatchesWithin(text, 0, text.size()); }

bool BytePattern::MatchesWithin(BytesView line, std::size_t start, std::size_t end) const {
  return compiled_->line.Match(re2::StringPiece(line.data(), line.size()), start, end,
                               re2::RE2::UNANCHORED, nullptr, 0);
}

bool BytePattern::MatchesSomeLine(BytesView block) const {
  if (is_literal_) {
    return required_.FindIn(block) != BytesView::npos;
  }
  const auto line_at = [&](std::size_t at) {
    const std::size_t before = at == 0 ? BytesView::npos : block.rfind('\n', at - 1);
    const std::size_t start = before == BytesView::npos ? 0 : before + 1;
    return block.substr(start, std::min(block.find('\n', at), block.size()) - start);
  };
  if (!required_.empty()) {
    // Only lines with the literal in them can match.
    for (std::size_t at = required_.FindIn(block); at != BytesView::npos;) {
      const BytesView line = line_at(at);
      if (Matches(line)) return true;
      const auto line_end = static_cast<std::size_t>(line.data() - block.data()) + line.size();
      if (line_end >= block.size()) return false;
      at = required_.FindIn(block, line_end + 1);
    }
    return false;
  }
  if (compiled_->block) {
    return compiled_->block->Match(re2::StringPiece(block.data(), block.size()), 0, block.size(),
                                   re2::RE2::UNANCHORED, nullptr, 0);
  }
  for (std::size_t at = 0; at <= block.size();) {
    const BytesView line = line_at(at);
    if (Matches(line)) return true;
    at = static_cast<std::size_t>(line.data() - block.data()) + line.size() + 1;
  }
  return false;
}

}  // namespace mig::file
