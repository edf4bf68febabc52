#include "mqtt/wire.h"

#include <cassert>

#include "util/text.h"

namespace mig::mqtt {

bool Reader::Need(std::size_t size, const char* what) {
  if (!ok()) return false;
  if (rest_.size() >= size) return true;
  Fail(Errc::kMalformed, std::string("ends within ") + what);
  return false;
}

void Reader::Fail(Errc code, std::string message) {
  if (!error_) error_.emplace(code, std::move(message));
  rest_ = {};
}

std::uint8_t Reader::Byte() {
  if (!Need(1, "a byte")) return 0;
  const auto value = static_cast<std::uint8_t>(rest_[0]);
  rest_.remove_prefix(1);
  return value;
}

std::uint16_t Reader::TwoBytes() {
  if (!Need(2, "a two-byte integer")) return 0;
  const auto high = static_cast<std::uint8_t>(rest_[0]);
  const auto low = static_cast<std::uint8_t>(rest_[1]);
  rest_.remove_prefix(2);
  return static_cast<std::uint16_t>(high << 8 | low);
}

std::uint32_t Reader::FourBytes() {
  const std::uint32_t high = TwoBytes();
  return high << 16 | TwoBytes();
}

std::uint32_t Reader::Variable() {
  std::uint32_t value = 0;
  for (int shift = 0; shift < 28; shift += 7) {
    const std::uint8_t byte = Byte();
    value |= static_cast<std::uint32_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) {
      if (byte == 0 && shift > 0) {
        Fail(Errc::kMalformed, "variable byte integer longer than needed");
        return 0;
      }
      return ok() ? value : 0;
    }
  }
  Fail(Errc::kMalformed, "variable byte integer of more than four bytes");
  return 0;
}

std::string_view Reader::Text() {
  const std::string_view text = Binary();
  if (text.find('\0') != std::string_view::npos) {
    Fail(Errc::kMalformed, "U+0000 in a string");
    return {};
  }
  if (!IsUtf8(text)) {
    Fail(Errc::kMalformed, "a string that is not UTF-8");
    return {};
  }
  return text;
}

BytesView Reader::Binary() {
  const std::size_t size = TwoBytes();
  return Take(size);
}

BytesView Reader::Take(std::size_t size) {
  if (!Need(size, "a string, binary data or properties")) return {};
  const BytesView taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

Expected<void> Reader::Finish() {
  if (!ok()) return TakeError();
  if (!AtEnd()) return Error(Errc::kMalformed, "bytes after the end of the packet's fields");
  return {};
}

void AppendTwoBytes(Bytes& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xFF));
}

void AppendFourBytes(Bytes& out, std::uint32_t value) {
  AppendTwoBytes(out, static_cast<std::uint16_t>(value >> 16));
  AppendTwoBytes(out, static_cast<std::uint16_t>(value & 0xFFFF));
}

void AppendVariable(Bytes& out, std::uint32_t value) {
  assert(value <= kMaxVariable);
  do {
    const std::uint32_t byte = value & 0x7F;
    value >>= 7;
    out.push_back(static_cast<char>(value > 0 ? byte | 0x80 : byte));
  } while (value > 0);
}

void AppendText(Bytes& out, std::string_view text) {
  assert(text.size() <= kMaxTextBytes);
  AppendTwoBytes(out, static_cast<std::uint16_t>(text.size()));
  out.append(text);
}

std::size_t VariableSize(std::uint32_t value) {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

}  // namespace mig::mqtt
