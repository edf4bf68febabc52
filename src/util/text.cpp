#include "util/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "util/expected.h"

namespace mig {

std::string_view ErrcName(Errc code) {
  switch (code) {
    case Errc::kMalformed:
      return "malformed";
    case Errc::kUnsupported:
      return "unsupported";
    case Errc::kInvalid:
      return "invalid";
    case Errc::kNotFound:
      return "not_found";
    case Errc::kExists:
      return "exists";
    case Errc::kDenied:
      return "denied";
    case Errc::kExpired:
      return "expired";
    case Errc::kFull:
      return "full";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kTimeout:
      return "timeout";
    case Errc::kIo:
      return "io";
    case Errc::kInternal:
      return "internal";
  }
  return "internal";
}

namespace {

// Decodes the code point that starts at `text[0]`; returns its length in bytes, or 0 if the bytes
// are not well-formed UTF-8 (Unicode 15, table 3-7).
int DecodeUtf8(std::string_view text, char32_t* out) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    *out = lead;
    return 1;
  }
  int length = 0;
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
  char32_t code = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code = lead & 0x1Fu;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code = lead & 0x0Fu;
    if (lead == 0xE0) second_min = 0xA0;
    if (lead == 0xED) second_max = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code = lead & 0x07u;
    if (lead == 0xF0) second_min = 0x90;
    if (lead == 0xF4) second_max = 0x8F;
  } else {
    return 0;
  }
  if (text.size() < static_cast<std::size_t>(length)) return 0;
  if (byte(1) < second_min || byte(1) > second_max) return 0;
  code = (code << 6) | (byte(1) & 0x3Fu);
  for (int i = 2; i < length; ++i) {
    if ((byte(static_cast<std::size_t>(i)) & 0xC0u) != 0x80u) return 0;
    code = (code << 6) | (byte(static_cast<std::size_t>(i)) & 0x3Fu);
  }
  *out = code;
  return length;
}

// Characters that move the cursor, hide or reorder text.
bool IsUnsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         c == 0x061C || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

std::size_t EditDistance(std::string_view a, std::string_view b) {
  // Optimal string alignment; words are short, so three rows of at most 64 do.
  constexpr std::size_t kMaxWord = 64;
  if (a.size() > kMaxWord || b.size() > kMaxWord) return kMaxWord;
  std::array<std::size_t, kMaxWord + 1> before{};
  std::array<std::size_t, kMaxWord + 1> previous{};
  std::array<std::size_t, kMaxWord + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before = previous;
    previous = row;
  }
  return previous[b.size()];
}

}  // namespace

bool IsUtf8(std::string_view text) {
  char32_t code = 0;
  while (!text.empty()) {
    const int length = DecodeUtf8(text, &code);
    if (length == 0) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

std::string_view Utf8Prefix(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  // Continuation bytes are 10xxxxxx: a character that begins before `end` must not go past it.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string EscapeForTerminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool escaped = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    char32_t code = 0;
    const int length = DecodeUtf8(rest, &code);
    char buffer[16];
    if (length == 0) {
      std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned char>(rest[0]));
      out += buffer;
      escaped = true;
      rest.remove_prefix(1);
      continue;
    }
    if (IsUnsafe(code)) {
      escaped = true;
      if (code == '\n') {
        out += "\\n";
      } else if (code == '\t') {
        out += "\\t";
      } else if (code == '\r') {
        out += "\\r";
      } else if (code < 0x80) {
        std::snprintf(buffer, sizeof buffer, "\\x%02x", static_cast<unsigned>(code));
        out += buffer;
      } else {
        std::snprintf(buffer, sizeof buffer, "\\u{%x}", static_cast<unsigned>(code));
        out += buffer;
      }
    } else {
      out.append(rest.substr(0, static_cast<std::size_t>(length)));
    }
    rest.remove_prefix(static_cast<std::size_t>(length));
  }
  if (!escaped || text.find('\\') == std::string_view::npos) return out;
  // A backslash of the text must not look like one of ours: double those.
  // Escape piecewise between backslashes: each piece has none, so the recursion is one deep.
  std::string result;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || text[i] == '\\') {
      result += EscapeForTerminal(text.substr(start, i - start));
      if (i < text.size()) result += "\\\\";
      start = i + 1;
    }
  }
  return result;
}

std::vector<std::string> NearWords(std::string_view word, std::span<const std::string> candidates) {
  const std::string lower = LowerAscii(word);
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& candidate : candidates) {
    const std::string other = LowerAscii(candidate);
    const std::size_t limit = std::max<std::size_t>(1, std::max(lower.size(), other.size()) / 3);
    std::size_t distance = EditDistance(lower, other);
    if (distance > limit && lower.size() >= 2 && other.starts_with(lower)) distance = limit;
    if (distance <= limit) near.emplace_back(distance, candidate);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> words;
  for (auto& [distance, candidate] : near) {
    if (words.size() == 3) break;
    words.push_back(std::move(candidate));
  }
  return words;
}

std::string DidYouMean(std::string_view word, std::span<const std::string> candidates) {
  const std::vector<std::string> near = NearWords(word, candidates);
  if (near.empty()) return {};
  std::string text = "did you mean ";
  for (std::size_t i = 0; i < near.size(); ++i) {
    if (i > 0) text += i + 1 == near.size() ? " or " : ", ";
    text += '`';
    text += near[i];
    text += '`';
  }
  return text + "?";
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  for (;;) {
    const std::size_t end = text.find(separator, start);
    if (end == std::string_view::npos) break;
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

std::string Join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += separator;
    text += parts[i];
  }
  return text;
}

std::string WrapText(std::string_view text, std::size_t column, std::size_t width) {
  std::string wrapped;
  std::size_t at = column;
  for (const std::string_view word : Split(text, ' ')) {
    if (wrapped.empty()) {
      // the first word stands where it stands, however long it is
    } else if (at + 1 + word.size() > width) {
      wrapped += '\n' + std::string(column, ' ');
      at = column;
    } else {
      wrapped += ' ';
      ++at;
    }
    wrapped += word;
    at += word.size();
  }
  return wrapped;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string GroupThousands(unsigned long long number) {
  std::string digits = std::to_string(number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string Count(unsigned long long number, std::string_view singular) {
  std::string text = GroupThousands(number);
  text += ' ';
  text += singular;
  if (number != 1) text += 's';
  return text;
}

}  // namespace mig
