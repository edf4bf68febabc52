// One pass over one file: its bytes are read once, for all digests and contents that its searches
// ask for, raw or unpacked, and for the members of an archive.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "modules/file/archive_scan.h"
#include "modules/file/content_feed.h"
#include "modules/file/file_view.h"
#include "modules/file/read_pace.h"
#include "os/file_status.h"
#include "os/passing_reader.h"
#include "util/expected.h"

namespace mig::file {

// Reads files one after the other with one buffer.
class FileReader {
 public:
  // With a pace, shared with others, it waits for its turn to read.
  explicit FileReader(ReadPace* pace = nullptr);

  struct Outcome {
    std::uint64_t bytes = 0;  // read from disk
    // What is packed cannot be read to its end: `unpacked` is of no use, `raw` is as always.
    std::optional<Error> broken = std::nullopt;
    // The same of an archive: not all its members were seen.
    std::optional<Error> archive_broken = std::nullopt;
    // Somebody changed it meanwhile: what was read may never have stood there at one time. (What is
    // read at once is not asked about.)
    bool changed = false;
  };
  // Feeds both views to the end, or until they are decided; `unpacked` gets the content of a packed
  // file (unpack_formats.h), and the bytes as they are of any other. The members of a tar, also a
  // packed one, and of a zip go to the visitor of `archive`. Each may be null.
  // Error: kIo while reading; then nothing is of use.
  Expected<Outcome> Read(const os::OpenFile& file, FileView* raw, FileView* unpacked,
                         ArchiveScan* archive = nullptr);

 private:
  // As much of the file as fits into the buffer. `size` is what it had when opened, `done` what was
  // read of it before; `*last` says that there is no more.
  Expected<std::size_t> Fill(os::PassingReader& file, std::uint64_t size, std::uint64_t done,
                             bool* last);
  void ReadZipMembers(os::PassingReader& file, std::uint64_t size, ArchiveScan& archive,
                      Outcome& outcome);

  ReadPace* pace_;
  std::vector<char> buffer_;
  ContentFeed feed_;
};

}  // namespace mig::file
