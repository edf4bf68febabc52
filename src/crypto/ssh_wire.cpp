#include "crypto/ssh_wire.h"

#include <cassert>
#include <limits>

namespace mig::ssh {

void AppendUint32(Bytes& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out += static_cast<char>(static_cast<unsigned char>(number >> shift));
  }
}

void AppendString(Bytes& out, BytesView bytes) {
  assert(bytes.size() <= std::numeric_limits<std::uint32_t>::max() && "callers bound their fields");
  AppendUint32(out, static_cast<std::uint32_t>(bytes.size()));
  out.append(bytes);
}

void Reader::Fail(Errc code, std::string message) {
  if (error_) return;
  error_.emplace(code, std::string(what_) + ": " + std::move(message));
  rest_ = {};
}

BytesView Reader::Raw(std::string_view field, std::size_t size) {
  if (error_) return {};
  if (rest_.size() < size) {
    Fail(Errc::kMalformed, "ends within the " + std::string(field));
    return {};
  }
  const BytesView bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

std::uint8_t Reader::Byte(std::string_view field) {
  const BytesView bytes = Raw(field, 1);
  return bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes.front());
}

std::uint32_t Reader::Uint32(std::string_view field) {
  std::uint32_t number = 0;
  for (const char c : Raw(field, 4)) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

BytesView Reader::String(std::string_view field, std::size_t max_bytes) {
  const std::uint32_t size = Uint32(field);
  if (error_) return {};
  if (size > max_bytes) {
    Fail(Errc::kMalformed, "the " + std::string(field) + " has " + std::to_string(size) +
                               " bytes; at most " + std::to_string(max_bytes) + " are expected");
    return {};
  }
  return Raw(field, size);
}

Expected<void> Reader::Finish() {
  if (!error_ && !rest_.empty()) Fail(Errc::kMalformed, "something follows its end");
  if (error_) return *error_;
  return {};
}

}  // namespace mig::ssh
