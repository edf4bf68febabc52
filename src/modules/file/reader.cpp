#include "modules/file/reader.h"

#include "modules/file/zip_reader.h"

namespace mig::file {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

// The same file, read out of order.
class PacedRanges : public ByteRanges {
 public:
  PacedRanges(os::PassingReader& file, std::uint64_t size, ReadPace* pace)
      : file_(file), size_(size), pace_(pace) {}

  std::uint64_t size() const override { return size_; }
  Expected<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    auto count = file_.ReadAt(offset, into.data(), into.size());
    if (!count) return count;
    bytes_ += *count;
    if (pace_ != nullptr) pace_->Take(*count);
    return count;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  os::PassingReader& file_;
  std::uint64_t size_;
  ReadPace* pace_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

FileReader::FileReader(ReadPace* pace) : pace_(pace), buffer_(kChunk) {}

Expected<std::size_t> FileReader::Fill(os::PassingReader& file, std::uint64_t size,
                                       std::uint64_t done, bool* last) {
  std::size_t filled = 0;
  while (filled < buffer_.size()) {
    auto count = file.Read(buffer_.data() + filled, buffer_.size() - filled);
    if (!count) return count;
    filled += *count;
    if (pace_ != nullptr) pace_->Take(*count);
    // Where the size was right, which is nearly always, the read that says "no more" is saved. What
    // is appended while we read is not looked at.
    *last = *count == 0 || (size > 0 && done + filled == size);
    if (*last) break;
  }
  return filled;
}

Expected<FileReader::Outcome> FileReader::Read(const os::OpenFile& file, FileView* raw,
                                               FileView* unpacked, ArchiveScan* archive) {
  Outcome outcome;
  os::PassingReader passing(file);
  if (archive != nullptr) archive->Begin();
  feed_.Begin(raw, unpacked, archive);
  bool last = false;
  while (!last && feed_.open()) {
    auto count = Fill(passing, file.size, outcome.bytes, &last);
    if (!count) {
      if (archive != nullptr) archive->Abandon(count.error());
      return std::move(count).error();
    }
    outcome.bytes += *count;
    feed_.Feed(BytesView(buffer_.data(), *count), last);
  }
  outcome.broken = feed_.broken();
  if (archive != nullptr) {
    if (outcome.broken) archive->Abandon(*outcome.broken);
    outcome.archive_broken = archive->broken();
    const bool zip = archive->kind() == ArchiveKind::kZip;
    if (zip && feed_.packed()) {
      outcome.archive_broken =
          Error(Errc::kMalformed, "a zip inside a packed file is not looked into");
    } else if (zip && archive->visitor() != nullptr) {
      ReadZipMembers(passing, file.size, *archive, outcome);
    }
  }
  if (outcome.bytes > kChunk || (last && outcome.bytes != file.size)) {
    auto changed = os::HasChanged(file);
    if (!changed) return std::move(changed).error();
    outcome.changed = *changed;
  }
  return outcome;
}

void FileReader::ReadZipMembers(os::PassingReader& file, std::uint64_t size, ArchiveScan& archive,
                                Outcome& outcome) {
  PacedRanges ranges(file, size, pace_);
  auto read = ReadZip(ranges, *archive.visitor());
  outcome.bytes += ranges.bytes();
  if (!read) outcome.archive_broken = std::move(read).error();
}

}  // namespace mig::file
