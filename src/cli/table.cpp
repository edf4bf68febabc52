#include "cli/table.h"

#include <algorithm>
#include <cassert>

#include "util/text.h"

namespace mig::cli {
namespace {

constexpr std::size_t kNarrowest = 12;  // an elided column keeps at least this
constexpr std::size_t kGap = 2;

std::size_t BytesOfCodePoint(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

char32_t CodePoint(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(bytes[i]));
  };
  switch (bytes.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
    case 3:
      return (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    default:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
             (byte(3) & 0x3F);
  }
}

// The blocks of Unicode 15's EastAsianWidth W and F, and of general category Mn, that occur in
// names of people, hosts and files; a rare miss costs an unaligned column.
std::size_t WidthOf(char32_t c) {
  if ((c >= 0x300 && c <= 0x36F) || (c >= 0x483 && c <= 0x489) || (c >= 0x591 && c <= 0x5BD) ||
      (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x65F) || (c >= 0x1AB0 && c <= 0x1AFF) ||
      (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE00 && c <= 0xFE0F)) {
    return 0;
  }
  if ((c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) ||
      (c >= 0x3041 && c <= 0x33FF) || (c >= 0x3400 && c <= 0x4DBF) ||
      (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xA000 && c <= 0xA4CF) ||
      (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
      (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
      (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1F64F) ||
      (c >= 0x1F900 && c <= 0x1F9FF) || (c >= 0x20000 && c <= 0x3FFFD)) {
    return 2;
  }
  return 1;
}

struct Character {
  std::string_view bytes;
  std::size_t width;
};

std::vector<Character> Characters(std::string_view text) {
  std::vector<Character> characters;
  while (!text.empty()) {
    const std::size_t length =
        std::min(text.size(), BytesOfCodePoint(static_cast<unsigned char>(text[0])));
    const std::string_view bytes = text.substr(0, length);
    characters.push_back({bytes, WidthOf(CodePoint(bytes))});
    text.remove_prefix(length);
  }
  return characters;
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (const Character& character : Characters(text)) width += character.width;
  return width;
}

std::string ElideMiddle(std::string_view text, std::size_t width) {
  const std::vector<Character> characters = Characters(text);
  std::size_t total = 0;
  for (const Character& character : characters) total += character.width;
  if (total <= width) return std::string(text);
  if (width == 0) return {};
  // The end is the longer half: file names stand there.
  const std::size_t head_width = (width - 1) / 2;
  const std::size_t tail_width = width - 1 - head_width;
  std::string head;
  std::size_t used = 0;
  for (const Character& character : characters) {
    if (used + character.width > head_width) break;
    used += character.width;
    head += character.bytes;
  }
  std::size_t first = characters.size();
  used = 0;
  while (first > 0 && used + characters[first - 1].width <= tail_width) {
    used += characters[--first].width;
  }
  std::string elided = head + "\xE2\x80\xA6";  // U+2026
  for (; first < characters.size(); ++first) elided += characters[first].bytes;
  return elided;
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = EscapeForTerminal(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Render(std::size_t width) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = DisplayWidth(columns_[i].title);
    for (const auto& row : rows_) widest = std::max(widest, DisplayWidth(row[i]));
    widths.push_back(widest);
  }
  std::size_t total = columns_.empty() ? 0 : kGap * (columns_.size() - 1);
  for (const std::size_t column : widths) total += column;
  // Takes from the widest column that may be cut until the line fits, or nothing is left to take.
  while (width > 0 && total > width) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!columns_[i].elide || widths[i] <= kNarrowest) continue;
      if (widest == columns_.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }

  std::string text;
  const auto add_row = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string fitted = columns_[i].elide ? ElideMiddle(cell, widths[i]) : cell;
      const std::size_t used = DisplayWidth(fitted);
      const std::string space(widths[i] > used ? widths[i] - used : 0, ' ');
      line += columns_[i].right ? space + fitted : fitted + space;
      if (i + 1 < columns_.size()) line += std::string(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_row([&](std::size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) {
    add_row([&](std::size_t i) -> const std::string& { return row[i]; });
  }
  return text;
}

}  // namespace mig::cli
