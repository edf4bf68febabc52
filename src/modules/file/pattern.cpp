#include "modules/file/pattern.h"

#include <re2/re2.h>

#include <cctype>
#include <cstdint>
#include <cstring>
#include <optional>

namespace mig::file {
namespace {

constexpr std::int64_t kRegexMemory = 8 << 20;

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

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
  if (required.empty()) pattern->start_ = StartBytes::Of(text);
  pattern->required_ = Literal(std::move(required), fold);
  pattern->longest_ = LongestMatch(text);
  return std::shared_ptr<const BytePattern>(std::move(pattern));
}

bool BytePattern::Matches(BytesView text) const { return MatchesWithin(text, 0, text.size()); }

bool BytePattern::MatchesWithin(BytesView line, std::size_t start, std::size_t end) const {
  return compiled_->line.Match(re2::StringPiece(line.data(), line.size()), start, end,
                               re2::RE2::UNANCHORED, nullptr, 0);
}

// The carriage return that belongs to a line's end stands within no literal that has none.
bool BytePattern::MayMatchIn(BytesView block) const {
  if (required_.empty()) return start_.empty() || start_.FindIn(block) != BytesView::npos;
  return required_.text().find('\r') != std::string::npos ||
         required_.FindIn(block) != BytesView::npos;
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
  if (!start_.empty()) {
    const std::size_t first = start_.FindIn(block);
    if (first == BytesView::npos) return false;
    block.remove_prefix(static_cast<std::size_t>(line_at(first).data() - block.data()));
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
