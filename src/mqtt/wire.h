// The data types of MQTT on the wire: MQTT 5.0 section 1.5. Packets are mqtt/codec.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::mqtt {

// The largest value of a variable byte integer, hence of a packet's remaining length.
inline constexpr std::uint32_t kMaxVariable = 268'435'455;
inline constexpr std::size_t kMaxTextBytes = 65'535;

// Reads fields in order. The first failure sticks: everything after it reads as zero or empty, so
// that a decoder reads all its fields and asks ok() once. Views point into the bytes given.
class Reader {
 public:
  explicit Reader(BytesView bytes) : rest_(bytes) {}

  std::uint8_t Byte();
  std::uint16_t TwoBytes();
  std::uint32_t FourBytes();
  std::uint32_t Variable();  // at most four bytes, in the shortest form (section 1.5.5)
  std::string_view Text();   // UTF-8 without U+0000 (section 1.5.4)
  BytesView Binary();        // two-byte length before it
  BytesView Take(std::size_t size);
  BytesView Rest() { return Take(rest_.size()); }

  bool AtEnd() const { return rest_.empty(); }
  std::size_t Remaining() const { return rest_.size(); }

  bool ok() const { return !error_.has_value(); }
  // Records a failure of the caller's own, unless there is one already.
  void Fail(Errc code, std::string message);
  // The failure, or kMalformed if bytes are left over.
  Expected<void> Finish();
  // Requires: !ok().
  Error TakeError() { return std::move(*error_); }

 private:
  bool Need(std::size_t size, const char* what);

  BytesView rest_;
  std::optional<Error> error_;
};

void AppendTwoBytes(Bytes& out, std::uint16_t value);
void AppendFourBytes(Bytes& out, std::uint32_t value);
// Requires: value <= kMaxVariable.
void AppendVariable(Bytes& out, std::uint32_t value);
// Text or binary data. Requires: at most kMaxTextBytes.
void AppendText(Bytes& out, std::string_view text);
// How many bytes AppendVariable writes.
std::size_t VariableSize(std::uint32_t value);

}  // namespace mig::mqtt
