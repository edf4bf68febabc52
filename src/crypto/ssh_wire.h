// The data types of SSH's binary formats (RFC 4251 section 5): byte, uint32, string. Public keys,
// SSHSIG blobs and the agent protocol are made of these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::ssh {

void AppendUint32(Bytes& out, std::uint32_t number);
void AppendString(Bytes& out, BytesView bytes);  // uint32 length, then the bytes

// Reads one field after the other and remembers the first error; after an error every read gives
// nothing. What it returns looks into the bytes it was given.
//   Reader in(blob, "SSH public key");
//   const BytesView type = in.String("type", 64);
//   if (auto end = in.Finish(); !end) return std::move(end).error();
class Reader {
 public:
  // `what` begins the messages; both must outlive the reader.
  Reader(BytesView bytes, std::string_view what) : rest_(bytes), what_(what) {}

  BytesView Raw(std::string_view field, std::size_t size);
  std::uint8_t Byte(std::string_view field);
  std::uint32_t Uint32(std::string_view field);
  BytesView String(std::string_view field, std::size_t max_bytes);

  bool ok() const { return !error_.has_value(); }
  // Records an error of the caller's own, unless one is there already.
  void Fail(Errc code, std::string message);
  // The first error, or kMalformed where something follows the last field.
  Expected<void> Finish();

 private:
  BytesView rest_;
  std::string_view what_;
  std::optional<Error> error_;
};

}  // namespace mig::ssh
