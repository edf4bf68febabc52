// One pass over one file: its bytes are read once, for all digests and contents that its searches
// ask for, raw or unpacked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "modules/file/content.h"
#include "modules/file/read_pace.h"
#include "modules/file/search.h"
#include "modules/file/sequence_scan.h"
#include "modules/file/unpack.h"
#include "os/file_status.h"
#include "os/passing_reader.h"
#include "util/expected.h"

namespace mig::file {

// The answers of one view of a file: as it lies on disk, or unpacked.
class FileView {
 public:
  // Decides the content and digest checks of `search`, which must outlive this.
  void Add(const Search& search);
  bool empty() const { return searches_.empty(); }

  // The next bytes; `last` when there are no more, which may be all that is said.
  void Feed(BytesView bytes, bool last);
  // Nothing that follows can change an answer.
  bool decided() const {
    return ruled_out_ || (digests_.empty() && scan_.decided() && sequences_.decided());
  }
  bool saw_long_line() const { return scan_.saw_long_line(); }
  // Bytes that went into digests, once for each.
  std::uint64_t hashed() const { return hashed_; }

  // The answers, after the last bytes or once decided.
  // Whether all content and digest checks of a matchall search say yes.
  bool AllYes(const Search& search) const;
  // For matchany: whether the check, `mismatch` included, says yes.
  bool Answer(const Check& check) const;
  // One that some search checks or returns, of a file that has been found.
  const Bytes& DigestOf(DigestKind kind) const;

 private:
  struct Running {
    DigestKind kind;
    Digest digest;
    Bytes value;
  };
  void Want(DigestKind kind);
  bool ContentsRuleOut(bool last) const;

  std::vector<const Search*> searches_;
  ContentScan scan_;
  SequenceScan sequences_;
  std::vector<Running> digests_;
  std::uint64_t hashed_ = 0;
  bool ruled_out_ = false;  // contents have said no to every search
};

// Reads files one after the other with one buffer.
class FileReader {
 public:
  // With a pace, shared with others, it waits for its turn to read.
  explicit FileReader(ReadPace* pace = nullptr);

  struct Outcome {
    std::uint64_t bytes = 0;  // read from disk
    // What is packed cannot be read to its end: `unpacked` is of no use, `raw` is as always.
    std::optional<Error> broken = std::nullopt;
  };
  // Feeds both views to the end, or until they are decided; `unpacked` gets the content of a packed
  // file (unpack.h), and the bytes as they are of any other. Either may be null.
  // Error: kIo while reading; then no view is of use.
  Expected<Outcome> Read(const os::OpenFile& file, FileView* raw, FileView* unpacked);

 private:
  // As much of the file as fits into the buffer. `size` is what it had when opened, `done` what was
  // read of it before; `*last` says that there is no more.
  Expected<std::size_t> Fill(os::PassingReader& file, std::uint64_t size, std::uint64_t done,
                             bool* last);

  ReadPace* pace_;
  std::vector<char> buffer_;
  Unpacker unpacker_;
};

}  // namespace mig::file
