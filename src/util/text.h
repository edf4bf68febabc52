// Text for people and from people: UTF-8 checks, escaping for terminals, near words.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mig {

// True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool IsUtf8(std::string_view text);

// The longest part of the beginning that has at most `max_bytes` and does not cut a UTF-8
// character; of bytes that are not UTF-8 it may be shorter.
std::string_view Utf8Prefix(std::string_view text, std::size_t max_bytes);

// Text that came from elsewhere, made safe to print: control characters, bidirectional overrides
// and bytes that are not UTF-8 become \n, \t, \x1b or \u{202e}. Backslashes are doubled only where
// something was escaped, so that ordinary Windows paths stay readable.
std::string EscapeForTerminal(std::string_view text);

// The candidates that `word` probably meant, nearest first (Damerau-Levenshtein distance of at
// most a third of the length, or a shared prefix), at most three.
std::vector<std::string> NearWords(std::string_view word, std::span<const std::string> candidates);

// "did you mean `a` or `b`?" or an empty string.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

// The parts are views into `text`, which must outlive them: a temporary string is refused.
std::vector<std::string_view> Split(std::string_view text, char separator);
template <std::same_as<std::string> Temporary>
void Split(Temporary&& text, char separator) = delete;
std::string Join(std::span<const std::string> parts, std::string_view separator);
std::string_view Trim(std::string_view text);
// `text` broken at spaces, so that no line goes beyond `width` columns where it can be helped: the
// first line begins at `column`, the others are indented so far.
std::string WrapText(std::string_view text, std::size_t column, std::size_t width);
std::string LowerAscii(std::string_view text);

// 1234567 -> "1,234,567".
std::string GroupThousands(unsigned long long number);

// "1 agent", "2 agents".
std::string Count(unsigned long long number, std::string_view singular);

}  // namespace mig
