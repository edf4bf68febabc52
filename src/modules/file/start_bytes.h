// The bytes that a match of a pattern may begin with, where these are few ranges: a quick look for
// them passes over what cannot match.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "util/bytes.h"

namespace mig::file {

class StartBytes {
 public:
  // Empty: not known, or too many ranges. Pure.
  static StartBytes Of(const std::string& pattern);

  bool empty() const { return count_ == 0; }
  // Where the first of them is, or npos. Requires: not empty.
  std::size_t FindIn(BytesView bytes) const;

 private:
  struct Range {
    unsigned char from = 0, to = 0;
  };
  bool Has(unsigned char byte) const;

  std::array<Range, 3> ranges_{};
  std::size_t count_ = 0;
};

}  // namespace mig::file
