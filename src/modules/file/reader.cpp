#include "modules/file/reader.h"

#include <algorithm>
#include <cassert>

#include "os/file_status.h"

namespace mig::file {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;

}  // namespace

void FileView::Want(DigestKind kind) {
  for (const Running& running : digests_) {
    if (running.kind == kind) return;
  }
  digests_.push_back({kind, Digest(kind), {}});
}

void FileView::Add(const Search& search) {
  searches_.push_back(&search);
  scan_.Add(search);
  sequences_.Add(search);
  for (const Check& check : search.checks) {
    if (check.kind == CheckKind::kDigest) Want(check.digest);
  }
  for (const DigestKind kind : search.returned) Want(kind);
}

// True when no search can be satisfied any more, whatever the digests are.
bool FileView::ContentsRuleOut(bool last) const {
  if (scan_.empty() && sequences_.empty()) return false;
  for (const Search* search : searches_) {
    if (!search->matchall) return false;
    bool no = false;
    for (const Check& check : search->checks) {
      if (check.kind == CheckKind::kContent && (last || scan_.Decided(check))) {
        no = no || !check.Wanted(scan_.Answer(check), true);
      } else if (check.kind == CheckKind::kBytes && (last || sequences_.Found(check))) {
        no = no || !check.Wanted(sequences_.Found(check));
      }
    }
    if (!no) return false;
  }
  return true;
}

void FileView::Feed(BytesView bytes, bool last) {
  if (decided()) return;
  scan_.Feed(bytes);
  if (last) scan_.Finish();
  sequences_.Feed(bytes);
  // Contents first: a digest costs more than the search for a line, and most files are small enough
  // to be decided here, before it is begun.
  ruled_out_ = ContentsRuleOut(last);
  if (ruled_out_) return;
  for (Running& running : digests_) {
    running.digest.Update(bytes);
    hashed_ += bytes.size();
    if (last) running.value = running.digest.Finish();
  }
}

bool FileView::Answer(const Check& check) const {
  if (check.kind == CheckKind::kContent) return check.Wanted(scan_.Answer(check), true);
  if (check.kind == CheckKind::kBytes) return check.Wanted(sequences_.Found(check));
  assert(check.kind == CheckKind::kDigest);
  return check.Wanted(DigestOf(check.digest) == check.expected);
}

bool FileView::AllYes(const Search& search) const {
  if (ruled_out_) return false;
  for (std::size_t i = search.cheap; i < search.checks.size(); ++i) {
    if (!Answer(search.checks[i])) return false;
  }
  return true;
}

const Bytes& FileView::DigestOf(DigestKind kind) const {
  const auto found = std::find_if(digests_.begin(), digests_.end(),
                                  [&](const Running& running) { return running.kind == kind; });
  assert(found != digests_.end() && "the digest was not asked for");
  return found->value;
}

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
                                               FileView* unpacked) {
  Outcome outcome;
  os::PassingReader passing(file);
  const PackedFormat* format = nullptr;
  bool last = false;
  const auto open = [](const FileView* view) { return view != nullptr && !view->decided(); };
  const auto unpacks = [&] { return !outcome.broken && open(unpacked); };
  const Unpacker::Take take = [&](BytesView bytes) {
    unpacked->Feed(bytes, /*last=*/false);
    return !unpacked->decided();
  };
  while (!last && (open(raw) || unpacks())) {
    const bool first = outcome.bytes == 0;
    auto count = Fill(passing, file.size, outcome.bytes, &last);
    if (!count) return std::move(count).error();
    const BytesView bytes(buffer_.data(), *count);
    outcome.bytes += *count;
    if (first && unpacked != nullptr) {
      format = PackedFormatOf(bytes);
      if (format != nullptr) {
        if (auto ok = unpacker_.Begin(*format); !ok) return std::move(ok).error();
      }
    }
    if (raw != nullptr) raw->Feed(bytes, last);
    if (!unpacks()) continue;
    if (format == nullptr) {
      unpacked->Feed(bytes, last);
      continue;
    }
    auto fed = unpacker_.Feed(bytes, take);
    if (fed && last && open(unpacked)) fed = unpacker_.Finish();
    if (!fed) {
      outcome.broken = std::move(fed).error();
    } else if (last) {
      unpacked->Feed({}, /*last=*/true);
    }
  }
  return outcome;
}

}  // namespace mig::file
