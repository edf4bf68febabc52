// The compressed formats that can be looked into, each by its library: told by their first bytes,
// unpacked one member at a time with bounded memory.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

// Unpacks one member after the other: a gzip member (RFC 1952), a zstd frame (RFC 8878), an xz
// stream, a whole .lzma file, a bzip2 stream.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // A new member begins. False: no memory.
  virtual bool Begin() = 0;

  struct Step {
    std::size_t produced = 0;
    bool ended = false;  // the member ends here; what is left of `in` follows it
  };
  // Takes from `in` what it unpacks to `out`, neither more nor less than there is room for; both
  // are not empty. Error: kMalformed; kFull when it would take more memory than a decoder may.
  virtual Expected<Step> Unpack(BytesView& in, std::span<char> out) = 0;
};

// Deflate (RFC 1951) without anything around it, as zip has it.
std::unique_ptr<Decoder> MakeInflater();

struct PackedFormat {
  std::string_view name;  // "gzip"
  // Whether a file, or a member after another, that begins so is of this format.
  bool (*begins)(BytesView bytes);
  std::unique_ptr<Decoder> (*make)();
};

// So many bytes of a file tell its format.
inline constexpr std::size_t kPackedMagicBytes = 13;

// Null: it is not packed in a way that is known here.
const PackedFormat* PackedFormatOf(BytesView beginning);

std::span<const PackedFormat> PackedFormats();

}  // namespace mig::file
