// What a compressed file holds, all its members one after the other, as its own tool gives it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "modules/file/unpack_formats.h"

namespace mig::file {

// Files that unpack to more than this, and to more than kMostRatio times what they take, are not
// looked into to the end: neither gzip nor anything that people pack gets there, a bomb does.
inline constexpr std::uint64_t kUnpackedInAnyCase = std::uint64_t{64} << 20;
inline constexpr std::uint64_t kMostRatio = 1100;

// Unpacks files one after the other, with one buffer and one decoder for each format.
class Unpacker {
 public:
  Unpacker();
  ~Unpacker();

  // A file begins. Error: kInternal, no memory.
  Expected<void> Begin(const PackedFormat& format);

  // Takes what was unpacked; false when nothing more is wanted.
  using Take = std::function<bool(BytesView)>;
  // The file's next bytes. Error: kMalformed; kFull for what is too large, by memory or by
  // kMostRatio.
  Expected<void> Feed(BytesView packed, const Take& take);
  // The file ends. Error: kMalformed when it may not end there.
  Expected<void> Finish();

 private:
  std::array<std::unique_ptr<Decoder>, 5> decoders_;  // of PackedFormats(), once needed
  const PackedFormat* format_ = nullptr;
  Decoder* decoder_ = nullptr;
  bool between_ = false;  // a member has ended, and no other has begun
  std::uint64_t packed_ = 0;
  std::uint64_t unpacked_ = 0;
  std::vector<char> out_;
};

}  // namespace mig::file
