#include "util/line_diff.h"

#include <algorithm>
#include <cstdint>

#include "util/text.h"

namespace mig {
namespace {

// Cells of the table of common subsequences: 16 MiB at most.
constexpr std::size_t kMostCells = std::size_t{4} << 20;

using Lines = std::vector<std::string_view>;

// The script of the middles, after what both begin and end with.
std::vector<DiffLine> Script(const Lines& before, const Lines& after) {
  const std::size_t rows = before.size(), columns = after.size();
  std::vector<DiffLine> script;
  if (rows != 0 && columns > kMostCells / (rows + 1)) {
    for (const std::string_view line : before) script.push_back({'-', std::string(line)});
    for (const std::string_view line : after) script.push_back({'+', std::string(line)});
    return script;
  }
  // length[i][j]: of the longest common subsequence of before[i..] and after[j..].
  std::vector<std::uint32_t> length((rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
    return length[i * (columns + 1) + j];
  };
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      at(i, j) =
          before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[i] == after[j]) {
      script.push_back({' ', std::string(before[i])});
      ++i, ++j;
    } else if (i < rows && (j == columns || at(i + 1, j) >= at(i, j + 1))) {
      script.push_back({'-', std::string(before[i++])});
    } else {
      script.push_back({'+', std::string(after[j++])});
    }
  }
  return script;
}

}  // namespace

std::vector<DiffLine> DiffLines(std::string_view before_text, std::string_view after_text,
                                std::size_t context) {
  Lines before = Split(before_text, '\n'), after = Split(after_text, '\n');
  if (before == after) return {};
  const auto differ = std::mismatch(before.begin(), before.end(), after.begin(), after.end());
  const auto head = static_cast<std::size_t>(differ.first - before.begin());
  std::size_t tail = 0;
  while (tail < before.size() - head && tail < after.size() - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  std::vector<DiffLine> all;
  const auto same = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) all.push_back({' ', std::string(before[i])});
  };
  same(0, head);
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(head),
                 lines.end() - static_cast<std::ptrdiff_t>(tail));
  };
  for (DiffLine& line : Script(middle(before), middle(after))) all.push_back(std::move(line));
  same(before.size() - tail, before.size());

  std::vector<bool> shown(all.size(), false);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].mark == ' ') continue;
    const std::size_t first = i > context ? i - context : 0;
    for (std::size_t k = first; k <= std::min(i + context, all.size() - 1); ++k) shown[k] = true;
  }
  std::vector<DiffLine> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (shown[i]) {
      result.push_back(std::move(all[i]));
    } else if (result.empty() || result.back().mark != '.') {
      result.push_back({'.', ""});
    }
  }
  return result;
}

}  // namespace mig
