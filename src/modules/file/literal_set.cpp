#include "modules/file/literal_set.h"

#include <algorithm>
#include <cassert>

namespace mig::file {
namespace {

constexpr std::size_t kWidestWindow = 32;

constexpr unsigned char Lower(char c) {
  return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

constexpr std::array<unsigned char, 256> LowerTable() {
  std::array<unsigned char, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = Lower(static_cast<char>(i));
  return table;
}
constexpr auto kLower = LowerTable();

}  // namespace

std::size_t LiteralSet::Key(BytesView bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return std::size_t{kLower[static_cast<unsigned char>(bytes[i])]};
  };
  return byte(at - 1) << 8 | byte(at);
}

std::size_t LiteralSet::Add(const Literal& literal) {
  assert(literal.text().size() >= kShortest);
  literals_.push_back(literal);
  window_ = kWidestWindow;
  for (const Literal& one : literals_) window_ = std::min(window_, one.text().size());
  // Their number is small beside what they are looked for in: all is made anew.
  skip_.assign(kKeys, static_cast<std::uint8_t>(window_ - 1));
  bucket_.assign(kKeys, 0);
  next_.assign(literals_.size(), 0);
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    const BytesView text = literals_[i].text();
    for (std::size_t at = 1; at < window_; ++at) {
      std::uint8_t& skip = skip_[Key(text, at)];
      skip = std::min(skip, static_cast<std::uint8_t>(window_ - 1 - at));
    }
    std::uint32_t& first = bucket_[Key(text, window_ - 1)];
    next_[i] = first;
    first = static_cast<std::uint32_t>(i + 1);
  }
  return literals_.size() - 1;
}

void LiteralSet::MarkIn(BytesView bytes, std::vector<char>& found) const {
  for (std::size_t end = window_ - 1; end < bytes.size();) {
    const std::size_t key = Key(bytes, end);
    if (const std::uint8_t skip = skip_[key]; skip > 0) {
      end += skip;
      continue;
    }
    const std::size_t at = end - (window_ - 1);
    for (std::uint32_t i = bucket_[key]; i != 0; i = next_[i - 1]) {
      if (found[i - 1] == 0 && literals_[i - 1].IsAt(bytes, at)) found[i - 1] = 1;
    }
    ++end;
  }
}

}  // namespace mig::file
