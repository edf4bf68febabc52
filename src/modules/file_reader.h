// One pass over one file: its bytes are read once, for all digests and contents that its searches
// ask for, raw or unpacked.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "modules/file_content.h"
#include "modules/file_search.h"
#include "os/files.h"
#include "util/expected.h"

namespace mig::file {

// The answers of one view of a file: as it lies on disk, or unpacked.
class FileView {
 public:
  // Decides the content and digest checks of `search`, which must outlive this.
  void Add(const Search& search);
  void WantSha256() { Want(DigestKind::kSha256); }
  bool empty() const { return scan_.empty() && digests_.empty(); }

  void Feed(BytesView bytes);
  void Finish();
  bool decided() const { return digests_.empty() && scan_.decided(); }
  bool saw_long_line() const { return scan_.saw_long_line(); }

  // After Finish. True when the check, `mismatch` included, says yes.
  bool Answer(const Check& check) const;
  Bytes DigestOf(DigestKind kind) const;

 private:
  void Want(DigestKind kind);

  ContentScan scan_;
  struct Running {
    DigestKind kind;
    Digest digest;
    Bytes value;
  };
  std::vector<Running> digests_;
};

// Reads files one after the other with one buffer.
class FileReader {
 public:
  FileReader();
  ~FileReader();

  struct Outcome {
    std::uint64_t bytes = 0;  // read from disk
    bool unpacked = false;    // it was gzip, and `unpacked` saw what is inside
  };
  // Feeds both views and finishes them; `unpacked` gets the content of a gzip file (RFC 1952, all
  // its members), and the bytes as they are of any other. Either may be null.
  // Error: kIo while reading; kMalformed for gzip that is broken (the views are of no use then).
  Expected<Outcome> Read(const os::FileDescriptor& file, FileView* raw, FileView* unpacked);

 private:
  struct Inflater;
  std::vector<char> buffer_;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace mig::file
