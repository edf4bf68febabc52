// Zip archives (APPNOTE.TXT 6.3.10), by their central directory, as every program that unpacks them
// reads them: zip64, stored, deflated, bzip2, zstd and xz. A member whose own header names it
// differently, or whose content has not the checksum that was promised, is broken.
#pragma once

#include <cstdint>
#include <span>

#include "modules/file/member.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

// A file that can be read anywhere.
class ByteRanges {
 public:
  virtual ~ByteRanges() = default;
  virtual std::uint64_t size() const = 0;
  // Up to so many bytes at `offset`; fewer at the end. Error: kIo.
  virtual Expected<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) = 0;
};

// Whether a file that begins so is a zip archive.
bool BeginsZip(BytesView bytes);

// Shows all members to the visitor. Error: kMalformed for what cannot be read further, kFull for
// members that together unpack to more than unpack.h allows a file, kIo.
Expected<void> ReadZip(ByteRanges& file, MemberVisitor& visitor);

}  // namespace mig::file
