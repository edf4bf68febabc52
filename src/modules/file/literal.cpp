#include "modules/file/literal.h"

#include <array>
#include <cstring>
#include <utility>

#include "modules/file/lanes.h"

namespace mig::file {
namespace {

// How common a byte is in ordinary files, roughly: 0 rare, 3 everywhere. Only speed depends on it.
constexpr std::array<unsigned char, 256> CommonBytes() {
  std::array<unsigned char, 256> rank{};
  for (const char c : {'\0', ' ', 'e', 't', 'a', 'o', 'i', 'n', 's', 'r'}) {
    rank[static_cast<unsigned char>(c)] = 3;
  }
  for (const char c : {'l', 'd', 'c',  'u', 'm', 'p', 'f', 'g', 'h', '_',   '.',
                       '/', '-', '\t', '0', '1', ',', ':', '=', '"', '\xff'}) {
    rank[static_cast<unsigned char>(c)] = 2;
  }
  for (const char c : {'b', 'y', 'w', 'v', 'k', 'x', '2', '3', '4', '5', '6', '7',    '8',
                       '9', '(', ')', 'S', 'E', 'T', 'A', 'C', 'I', 'R', 'N', '\x01', '\''}) {
    rank[static_cast<unsigned char>(c)] = 1;
  }
  return rank;
}
constexpr auto kCommon = CommonBytes();

constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

Literal::Literal(std::string text, bool fold) : text_(std::move(text)), fold_(fold) {
  const auto rank = [&](std::size_t i) { return kCommon[static_cast<unsigned char>(text_[i])]; };
  for (std::size_t i = 1; i < text_.size(); ++i) {
    if (rank(i) < rank(first_)) first_ = i;
  }
  second_ = first_ == 0 ? text_.size() - 1 : 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (i != first_ && text_[i] != text_[first_] && rank(i) < rank(second_)) second_ = i;
  }
}

bool Literal::IsAt(BytesView bytes, std::size_t at) const {
  return at <= bytes.size() && text_.size() <= bytes.size() - at && Equals(bytes.data() + at);
}

bool Literal::Equals(const char* at) const {
  if (!fold_) return std::memcmp(at, text_.data(), text_.size()) == 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (Lower(at[i]) != text_[i]) return false;
  }
  return true;
}

std::size_t Literal::FindIn(BytesView bytes, std::size_t from) const {
  if (bytes.size() < text_.size()) return BytesView::npos;
  const std::size_t last = bytes.size() - text_.size();
  // With the bit 0x20 set both cases of a letter are the lower one; other bytes keep their bits.
  const auto mask = [&](std::size_t i) {
    return static_cast<unsigned char>(fold_ && IsLower(text_[i]) ? 0x20 : 0);
  };
  const unsigned char first_mask = mask(first_);
  const unsigned char second_mask = mask(second_);
  const auto first = static_cast<unsigned char>(text_[first_]);
  const auto second = static_cast<unsigned char>(text_[second_]);
  const auto candidates = [&](std::size_t at) {
    const Vector a = Load(bytes.data() + at + first_) | first_mask;
    const Vector b = Load(bytes.data() + at + second_) | second_mask;
    return reinterpret_cast<Vector>((a == first) & (b == second));
  };
  std::size_t at = from;
  // Whole vectors lie inside while the last lane's literal does.
  while (at + kLanes - 1 <= last) {
    // Four vectors are looked at as one: most memory has neither byte at its place.
    if (at + 4 * kLanes - 1 <= last) {
      const Vector any = candidates(at) | candidates(at + kLanes) | candidates(at + 2 * kLanes) |
                         candidates(at + 3 * kLanes);
      if (!AnyBit(any)) {
        at += 4 * kLanes;
        continue;
      }
    }
    const Vector hits = candidates(at);
    if (AnyBit(hits)) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (hits[lane] != 0 && Equals(bytes.data() + at + lane)) return at + lane;
      }
    }
    at += kLanes;
  }
  for (; at <= last; ++at) {
    if (Equals(bytes.data() + at)) return at;
  }
  return BytesView::npos;
}

}  // namespace mig::file
