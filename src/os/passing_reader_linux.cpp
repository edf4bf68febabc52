#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/passing_reader.h"

namespace mig::os {
namespace {

constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostStretches = 16;
// Let go in pieces of this size while reading, so that a file larger than memory does no harm.
constexpr std::uint64_t kPiece = std::uint64_t{2} << 20;

// A large file that is not in memory is asked for so far ahead of us; the kernel, left alone, reads
// several times as much, which would stay when we stop early.
constexpr std::uint64_t kAhead = std::uint64_t{4} << 20;

// Of what is read out of order so much may be held before it is let go of.
constexpr std::uint64_t kMostHeld = std::uint64_t{64} << 20;

constexpr std::uint64_t kPage = 4096;  // what advice is rounded to, at least
constexpr std::uint64_t kEnd = UINT64_MAX;

enum class Presence { kInMemory, kOnDisk, kUnknown };

// Reads without waiting for a disk. The count, which may be short, goes to `*count`.
Presence ReadFromMemory(int fd, char* buffer, std::size_t size, std::uint64_t at,
                        std::size_t* count) {
  const iovec into{buffer, size};
  const ssize_t got = ::preadv2(fd, &into, 1, static_cast<off_t>(at), RWF_NOWAIT);
  *count = got > 0 ? static_cast<std::size_t>(got) : 0;
  if (got >= 0) return Presence::kInMemory;
  return errno == EAGAIN ? Presence::kOnDisk : Presence::kUnknown;
}

}  // namespace

PassingReader::PassingReader(const OpenFile& file) : file_(file) {
  if (file.size > kSmall) LookAhead();
}

// Before anything is read, because reading brings in what comes behind it too.
void PassingReader::LookAhead() {
  const std::uint64_t count = std::min((file_.size + kSmall - 1) / kSmall, kMostStretches);
  // From here on nothing is read ahead but what AskAhead asks for. Even asking whether a page is in
  // memory makes the kernel read ahead, and the next one would seem to have been there.
  ::posix_fadvise(file_.fd.get(), 0, 0, POSIX_FADV_RANDOM);
  for (std::uint64_t i = 0; i < count; ++i) {
    char byte = 0;
    std::size_t got = 0;
    const Presence presence =
        ReadFromMemory(file_.fd.get(), &byte, 1, file_.size / count * i, &got);
    if (presence == Presence::kUnknown) {
      stretches_.clear();
      break;
    }
    stretches_.push_back({file_.size / count * (i + 1), presence == Presence::kInMemory});
  }
  started_ = true;
  if (stretches_.empty()) {
    ::posix_fadvise(file_.fd.get(), 0, 0, POSIX_FADV_NORMAL);
    return;
  }
  stretches_.back().end = kEnd;
  const auto in_memory = [](const Stretch& stretch) { return stretch.was_in_memory; };
  if (std::all_of(stretches_.begin(), stretches_.end(), in_memory)) {
    ::posix_fadvise(file_.fd.get(), 0, 0, POSIX_FADV_NORMAL);
  }
  was_in_memory_ = stretches_.front().was_in_memory;
}

// Before a read: what comes next is on its way. Only advice, so what it answers is of no
// consequence.
void PassingReader::AskAhead() {
  if (stretches_.empty() || was_in_memory_) return;
  if (asked_ < at_) asked_ = at_;
  while (asked_ < at_ + kAhead && asked_ < file_.size) {
    ::posix_fadvise(file_.fd.get(), static_cast<off_t>(asked_), kPiece, POSIX_FADV_WILLNEED);
    asked_ += kPiece;
  }
}

// What is still on its way cannot be let go of: this waits for the last that was asked for.
// (The kernel has asked for the rest of a small file by itself.)
void PassingReader::AwaitAsked() {
  if (was_in_memory_ || at_ == 0 || at_ >= file_.size) return;
  const std::uint64_t asked = stretches_.empty() ? file_.size : std::min(asked_, file_.size);
  if (asked <= at_) return;
  char byte = 0;
  [[maybe_unused]] const ssize_t ignored =
      ::pread(file_.fd.get(), &byte, 1, static_cast<off_t>(asked - 1));
}

PassingReader::~PassingReader() {
  AwaitAsked();
  if (read_at_ > 0) LetGoOfAll();
  // With what the kernel has read ahead of us, and for LookAhead.
  if (stretches_.empty()) {
    if (!was_in_memory_) LetGo(kEnd);
    return;
  }
  for (;;) {
    if (!was_in_memory_) LetGo(stretches_[stretch_].end);
    if (stretches_[stretch_].end == kEnd) return;
    NextStretch();
  }
}

void PassingReader::NextStretch() {
  const bool before = was_in_memory_;
  kept_from_ = stretches_[stretch_].end;
  was_in_memory_ = stretches_[++stretch_].was_in_memory;
  if (before) ours_from_ = kept_from_;
}

void PassingReader::LetGo(std::uint64_t end) {
  // The kernel keeps memory in pieces of many pages, and lets go of a piece only as a whole: so
  // some of what was let go of before is named again.
  const std::uint64_t from = std::max(ours_from_, kept_from_ - std::min(kept_from_, kPiece));
  // Length 0: to the end. Only advice, so what it answers is of no consequence.
  ::posix_fadvise(file_.fd.get(), static_cast<off_t>(from),
                  end == kEnd ? 0 : static_cast<off_t>(end - from), POSIX_FADV_DONTNEED);
  kept_from_ = end;
}

Expected<std::size_t> PassingReader::Read(char* buffer, std::size_t size) {
  std::size_t count = 0;
  if (!started_) {
    started_ = true;
    const Presence presence = ReadFromMemory(file_.fd.get(), buffer, size, at_, &count);
    // A file of which only the beginning is there was being read by somebody; it stays.
    was_in_memory_ = presence != Presence::kOnDisk;
  }
  AskAhead();
  while (count == 0) {
    const ssize_t got = ::pread(file_.fd.get(), buffer, size, static_cast<off_t>(at_));
    if (got == 0) return std::size_t{0};
    if (got > 0) count = static_cast<std::size_t>(got);
    if (got < 0 && errno != EINTR) return ErrnoError(errno, "read");
  }
  at_ += count;
  while (!stretches_.empty() && at_ >= stretches_[stretch_].end) {
    if (!was_in_memory_) LetGo(stretches_[stretch_].end);
    NextStretch();
  }
  if (!was_in_memory_ && at_ - kept_from_ >= kPiece) LetGo(at_ / kPage * kPage);
  return count;
}

Expected<std::size_t> PassingReader::ReadAt(std::uint64_t at, char* buffer, std::size_t size) {
  if (!started_) {
    char first = 0;
    std::size_t got = 0;
    started_ = true;
    was_in_memory_ = ReadFromMemory(file_.fd.get(), &first, 1, 0, &got) != Presence::kOnDisk;
  }
  for (;;) {
    const ssize_t got = ::pread(file_.fd.get(), buffer, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, "read");
    const auto count = static_cast<std::size_t>(got);
    read_at_ += count;
    if (read_at_ >= kMostHeld) LetGoOfAll();
    return count;
  }
}

void PassingReader::LetGoOfAll() {
  read_at_ = 0;
  if (stretches_.empty()) {
    if (!was_in_memory_) ::posix_fadvise(file_.fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    return;
  }
  std::uint64_t from = 0;
  for (const Stretch& stretch : stretches_) {
    const std::uint64_t length = stretch.end == kEnd ? 0 : stretch.end - from;
    if (!stretch.was_in_memory) {
      ::posix_fadvise(file_.fd.get(), static_cast<off_t>(from), static_cast<off_t>(length),
                      POSIX_FADV_DONTNEED);
    }
    from = stretch.end;
  }
}

}  // namespace mig::os
