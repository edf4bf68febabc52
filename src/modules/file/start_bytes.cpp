#include "modules/file/start_bytes.h"

#include "modules/file/lanes.h"

namespace mig::file {
namespace {

// The end of the pattern's first element, a class of ASCII characters and ranges or \d; 0 for
// anything else, also where an escape, an inversion or a named class makes it more than that.
std::size_t EndOfFirst(const std::string& pattern) {
  if (pattern.starts_with("\\d")) return 2;
  if (!pattern.starts_with('[') || pattern.starts_with("[^") || pattern.starts_with("[]")) return 0;
  const std::size_t end = pattern.find(']');
  if (end == std::string::npos) return 0;
  for (std::size_t i = 1; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(pattern[i]);
    if (byte >= 0x80 || pattern[i] == '\\' || pattern[i] == '[') return 0;
  }
  return end + 1;
}

// Whether the element before `at` must occur, and alternatives and flags are nowhere in sight.
bool IsRequired(const std::string& pattern, std::size_t at) {
  if (pattern.find('|') != pattern.npos || pattern.find("(?") != pattern.npos) return false;
  if (at >= pattern.size()) return true;
  if (pattern[at] == '{') {
    return at + 1 < pattern.size() && pattern[at + 1] >= '1' && pattern[at + 1] <= '9';
  }
  return pattern[at] != '*' && pattern[at] != '?';
}

}  // namespace

StartBytes StartBytes::Of(const std::string& pattern) {
  StartBytes bytes;
  const std::size_t end = EndOfFirst(pattern);
  if (end == 0 || !IsRequired(pattern, end)) return bytes;
  if (pattern[0] == '\\') {
    bytes.ranges_[bytes.count_++] = {'0', '9'};
    return bytes;
  }
  for (std::size_t i = 1; i < end - 1;) {
    if (bytes.count_ == bytes.ranges_.size()) return {};
    const bool range = i + 2 < end - 1 && pattern[i + 1] == '-';
    const std::size_t last = range ? i + 2 : i;
    bytes.ranges_[bytes.count_++] = {static_cast<unsigned char>(pattern[i]),
                                     static_cast<unsigned char>(pattern[last])};
    i = last + 1;
  }
  return bytes;
}

bool StartBytes::Has(unsigned char byte) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (byte >= ranges_[i].from && byte <= ranges_[i].to) return true;
  }
  return false;
}

std::size_t StartBytes::FindIn(BytesView bytes) const {
  std::size_t at = 0;
  for (; at + kLanes <= bytes.size(); at += kLanes) {
    const Vector vector = Load(bytes.data() + at);
    Vector hits{};
    for (std::size_t i = 0; i < count_; ++i) {
      const auto width = static_cast<unsigned char>(ranges_[i].to - ranges_[i].from);
      // Less than the range's beginning wraps around to a large number.
      hits |= reinterpret_cast<Vector>((vector - ranges_[i].from) <= width);
    }
    if (AnyBit(hits)) break;
  }
  for (; at < bytes.size(); ++at) {
    if (Has(static_cast<unsigned char>(bytes[at]))) return at;
  }
  return BytesView::npos;
}

}  // namespace mig::file
