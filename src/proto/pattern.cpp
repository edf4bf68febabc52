#include "proto/pattern.h"

#include <re2/re2.h>

namespace mig {
namespace {

constexpr std::int64_t kMaxMemoryBytes = std::int64_t{1} << 20;

RE2::Options PatternOptions() {
  RE2::Options options(RE2::Quiet);  // RE2 would log a user's mistake to stderr
  options.set_max_mem(kMaxMemoryBytes);
  options.set_never_capture(true);
  return options;
}

}  // namespace

struct Pattern::Compiled {
  explicit Compiled(std::string_view text)
      : regex(re2::StringPiece(text.data(), text.size()), PatternOptions()) {}
  RE2 regex;
};

Expected<Pattern> Pattern::Compile(std::string_view text) {
  auto compiled = std::make_unique<Compiled>(text);
  if (!compiled->regex.ok()) {
    return Error(Errc::kMalformed, "regular expression `" + std::string(text.substr(0, 256)) +
                                       "`: " + compiled->regex.error());
  }
  return Pattern(std::move(compiled));
}

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

bool Pattern::Matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->regex);
}

std::size_t Pattern::size() const {
  return static_cast<std::size_t>(compiled_->regex.ProgramSize());
}

Expected<std::string> LikeToRegex(std::string_view like, bool ignore_case) {
  // `s`: % and _ also stand for a line break.
  std::string regex = ignore_case ? "(?is)\\A" : "(?s)\\A";
  const auto add_literal = [&](char c) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (c == '\0') {
      regex += "\\x00";  // RE2 ends at neither, but takes no escaped NUL
      return;
    }
    if (!plain) regex += '\\';
    regex += c;
  };
  bool after_any = false;  // a run of % is one: each costs every match
  for (std::size_t i = 0; i < like.size(); ++i) {
    const bool any = like[i] == '%';
    if (any) {
      if (!after_any) regex += ".*";
    } else if (like[i] == '_') {
      regex += '.';
    } else if (like[i] != '\\') {
      add_literal(like[i]);
    } else if (++i < like.size()) {
      add_literal(like[i]);
    } else {
      return Error(Errc::kMalformed, "LIKE pattern: \\ stands at the end, before nothing");
    }
    after_any = any;
  }
  return regex + "\\z";
}

}  // namespace mig
