// Rows and columns for a terminal: aligned, cut in the middle where the line would not fit.
// Whatever the cells hold is escaped here, so that a name from an endpoint cannot steer anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mig::cli {

// Columns that `text` takes on a terminal: one a code point, two for wide East Asian characters
// and emoji, none for combining marks. Requires: UTF-8 without control characters.
std::size_t DisplayWidth(std::string_view text);

// `text` in at most `width` columns, with "…" in place of its middle: both ends of a path count.
std::string ElideMiddle(std::string_view text, std::size_t width);

struct Column {
  std::string title;
  bool right = false;  // numbers
  bool elide = false;  // may be cut when the line is too long
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  // As many cells as there are columns.
  void Add(std::vector<std::string> cells);

  // The title row and the rows, each with its newline. `width` 0: as wide as it takes.
  std::string Render(std::size_t width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace mig::cli
