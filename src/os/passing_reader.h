// Reading a file once, in passing, and leaving the machine's page cache as it was: what lay in
// memory before stays there, what came in for us goes out again, so that a look through all files
// does not push out what the machine itself works with.
//
// Whether pages are in memory is asked with preadv2(RWF_NOWAIT): mincore(2) and cachestat(2) answer
// only to those who may write the file. File systems that cannot say so (NFS, some of FUSE) are
// read as they always were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "os/file_status.h"
#include "util/expected.h"

namespace mig::os {

class PassingReader {
 public:
  // `file`, which must outlive this, has not been read yet.
  explicit PassingReader(const OpenFile& file);
  ~PassingReader();
  PassingReader(const PassingReader&) = delete;
  PassingReader& operator=(const PassingReader&) = delete;

  // The next bytes, up to `size`; 0 at the end. Error: kIo.
  Expected<std::size_t> Read(char* buffer, std::size_t size);
  // Bytes from anywhere, up to `size`; 0 at the end. What was on disk when the reader was made is
  // let go of at its end, and now and then before. Error: kIo.
  Expected<std::size_t> ReadAt(std::uint64_t at, char* buffer, std::size_t size);

 private:
  // A stretch of a large file, all of which counts as its first byte does.
  struct Stretch {
    std::uint64_t end = 0;
    bool was_in_memory = true;
  };
  void LookAhead();
  void AskAhead();
  void AwaitAsked();
  void NextStretch();
  void LetGo(std::uint64_t end);
  void LetGoOfAll();

  const OpenFile& file_;
  std::vector<Stretch> stretches_;  // empty: small, the first read tells
  std::size_t stretch_ = 0;         // the one that is being read
  bool started_ = false;
  bool was_in_memory_ = true;
  std::uint64_t at_ = 0;
  std::uint64_t ours_from_ = 0;  // from here to kept_from_ all was read for us
  std::uint64_t kept_from_ = 0;  // before this nothing of ours is left
  std::uint64_t asked_ = 0;      // the kernel was told that what lies before this will be read
  std::uint64_t read_at_ = 0;    // bytes by ReadAt since the last time all was let go
};

}  // namespace mig::os
