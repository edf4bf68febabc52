#include "modules/file/reader.h"

#include <zlib.h>

#include <algorithm>
#include <cassert>

#include "os/file_status.h"

namespace mig::file {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;
constexpr int kGzipOnly = 16;  // windowBits: a gzip header is required

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
  for (const Check& check : search.checks) {
    if (check.kind == CheckKind::kDigest) Want(check.digest);
  }
  if (search.returnsha256) Want(DigestKind::kSha256);
}

// True when no search can be satisfied any more, whatever the digests are.
bool FileView::ContentsRuleOut(bool last) const {
  if (scan_.empty()) return false;
  for (const Search* search : searches_) {
    if (!search->matchall) return false;
    bool no = false;
    for (const Check& check : search->checks) {
      if (check.kind != CheckKind::kContent || !(last || scan_.Decided(check))) continue;
      no = no || !check.Wanted(scan_.Answer(check), true);
    }
    if (!no) return false;
  }
  return true;
}

void FileView::Feed(BytesView bytes, bool last) {
  if (decided()) return;
  scan_.Feed(bytes);
  if (last) scan_.Finish();
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

struct FileReader::Inflater {
  z_stream stream{};
  bool ready = false;
  std::vector<char> out = std::vector<char>(kChunk);

  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
  bool Begin() {
    const int status = ready ? inflateReset(&stream) : inflateInit2(&stream, kGzipOnly + MAX_WBITS);
    ready = ready || status == Z_OK;
    return status == Z_OK;
  }

  // What stands in `in`, unpacked into `view`. Sets `between` when a member has ended.
  Expected<void> Feed(BytesView in, FileView& view, bool* between) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream.avail_in = static_cast<uInt>(in.size());
    while (stream.avail_in > 0) {
      if (*between) {
        // Another member, or padding with zeros, which gzip(1) ignores too.
        if (*stream.next_in == 0) {
          ++stream.next_in;
          --stream.avail_in;
          continue;
        }
        if (!Begin()) return Error(Errc::kInternal, "zlib does not start again");
        *between = false;
      }
      int status = Z_OK;
      do {
        stream.next_out = reinterpret_cast<Bytef*>(out.data());
        stream.avail_out = static_cast<uInt>(out.size());
        status = inflate(&stream, Z_NO_FLUSH);
        const std::size_t size = out.size() - stream.avail_out;
        if (size > 0) view.Feed(BytesView(out.data(), size), /*last=*/false);
        if (view.decided()) return {};
      } while (status == Z_OK && (stream.avail_in > 0 || stream.avail_out == 0));
      if (status == Z_STREAM_END) {
        *between = true;
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        return Error(Errc::kMalformed, std::string("broken gzip: ") +
                                           (stream.msg != nullptr ? stream.msg : "bad data"));
      }
    }
    return {};
  }
};

FileReader::FileReader(ReadPace* pace)
    : pace_(pace), buffer_(kChunk), inflater_(std::make_unique<Inflater>()) {}
FileReader::~FileReader() = default;

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
  bool first = true;
  bool last = false;
  bool between = false;
  const auto open = [](const FileView* view) { return view != nullptr && !view->decided(); };
  const auto unpacks = [&] { return !outcome.broken && open(unpacked); };
  while (!last && (open(raw) || unpacks())) {
    auto count = Fill(passing, file.size, outcome.bytes, &last);
    if (!count) return std::move(count).error();
    const BytesView bytes(buffer_.data(), *count);
    outcome.bytes += *count;
    if (first && unpacked != nullptr) {
      outcome.unpacked = bytes.starts_with("\x1f\x8b");
      if (outcome.unpacked && !inflater_->Begin()) {
        return Error(Errc::kInternal, "zlib does not start");
      }
    }
    first = false;
    if (raw != nullptr) raw->Feed(bytes, last);
    if (!unpacks()) continue;
    if (!outcome.unpacked) {
      unpacked->Feed(bytes, last);
      continue;
    }
    if (auto ok = inflater_->Feed(bytes, *unpacked, &between); !ok) {
      outcome.broken = std::move(ok).error();
    } else if (last && !between && open(unpacked)) {
      outcome.broken = Error(Errc::kMalformed, "broken gzip: it ends too early");
    } else if (last) {
      unpacked->Feed({}, /*last=*/true);
    }
  }
  return outcome;
}

}  // namespace mig::file
