// Many literals looked for in one pass, by Wu and Manber's method ("A fast algorithm for
// multi-pattern searching", 1994): where two bytes stand in no literal, it skips on by nearly the
// length of the shortest.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "modules/file/literal.h"
#include "util/bytes.h"

namespace mig::file {

class LiteralSet {
 public:
  // A shorter one would slow all down.
  static constexpr std::size_t kShortest = 4;

  // Its number, counted from 0. Requires: at least kShortest bytes; nothing was looked for yet.
  std::size_t Add(const Literal& literal);
  std::size_t size() const { return literals_.size(); }

  // Sets `found` at the number of each literal that stands in `bytes`; it has size() elements.
  // Any number of threads may ask.
  void MarkIn(BytesView bytes, std::vector<char>& found) const;

 private:
  // The two bytes that end at `at`, their letters in lower case.
  static std::size_t Key(BytesView bytes, std::size_t at);

  static constexpr std::size_t kKeys = std::size_t{1} << 16;
  std::vector<Literal> literals_;
  std::size_t window_ = 0;          // of each literal so many bytes are compared by key
  std::vector<std::uint8_t> skip_;  // by key: how far the window may move on
  std::vector<std::uint32_t>
      bucket_;                       // by key: 1 + the first literal whose window ends so; 0: none
  std::vector<std::uint32_t> next_;  // by literal: the next of its bucket, as there
};

}  // namespace mig::file
