// Files that are named by the SHA-256 of what is in them, and parts that grow to them piece by
// piece: the attachments of actions, as the API keeps them and as an agent caches them. Nothing
// here is believed because of its name: Complete and ReadWhole compute the digest. A part survives
// a restart, so that a transfer goes on where it broke. Blocking; one thread at a time.
//
//   HEX        a complete file, HEX its digest
//   HEX.OWNER  a part of it; whoever brings the pieces is its owner, so that nobody can spoil the
//              part of another
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/clock.h"
#include "util/expected.h"

namespace mig::store {

class ContentFolder {
 public:
  // Makes the folder (mode 0700) where it is not there. All files together, parts included, hold at
  // most `max_bytes`. Errors: as os::MakePrivateDirectory; kIo.
  static Expected<ContentFolder> Open(std::filesystem::path folder, std::uint64_t max_bytes);

  // Of a complete file; nothing where there is none. `sha256`: 32 raw bytes, here and below.
  std::optional<std::uint64_t> SizeOf(BytesView sha256) const;
  // A complete file counts as used now, for Sweep and EvictFor.
  void Touch(BytesView sha256) const;

  // At most `length` bytes from `offset` on, unverified. Errors: kNotFound, kIo.
  Expected<Bytes> ReadRange(BytesView sha256, std::uint64_t offset, std::size_t length) const;
  // The whole file, which must have `bytes` bytes and that digest; else it is removed and the
  // answer is nothing, as when there is none. Counts as used now. Error: kIo.
  Expected<std::optional<Bytes>> ReadWhole(BytesView sha256, std::uint64_t bytes);

  // `owner`: 1..64 characters a-z 0-9. 0: there is no part.
  std::uint64_t PartSize(BytesView sha256, std::string_view owner) const;
  // Errors: kInvalid: `offset` is not the part's size; kFull: beyond max_bytes, or the disk is
  // full.
  Expected<void> Append(BytesView sha256, std::string_view owner, std::uint64_t offset,
                        BytesView piece);
  // The part becomes the complete file, on disk for good. Errors: kDenied, naming the digest
  // expected and the one it has: the part is removed then; kNotFound; kIo.
  Expected<void> Complete(BytesView sha256, std::string_view owner);
  void DropPart(BytesView sha256, std::string_view owner);

  struct Entry {
    Bytes sha256;
    bool part = false;
    std::uint64_t bytes = 0;
    UtcTime used;  // last written or touched
  };
  // Removes what `unneeded` says. Files with other names are never touched.
  void Sweep(const std::function<bool(const Entry&)>& unneeded);
  // Removes those used longest ago until `bytes` more have room; `keep` and its parts stay.
  // Error: kFull.
  Expected<void> EvictFor(std::uint64_t bytes, BytesView keep);

  std::uint64_t total_bytes() const { return total_; }

 private:
  ContentFolder(std::filesystem::path folder, std::uint64_t max_bytes)
      : folder_(std::move(folder)), max_bytes_(max_bytes) {}
  std::filesystem::path FileOf(BytesView sha256) const;
  std::filesystem::path PartOf(BytesView sha256, std::string_view owner) const;
  struct Listed {
    std::filesystem::path path;
    Entry entry;
  };
  std::vector<Listed> List();
  void Remove(const std::filesystem::path& file, std::uint64_t bytes);

  std::filesystem::path folder_;
  std::uint64_t max_bytes_;
  std::uint64_t total_ = 0;
};

}  // namespace mig::store
