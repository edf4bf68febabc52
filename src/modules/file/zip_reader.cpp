#include "modules/file/zip_reader.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "modules/file/unpack.h"
#include "modules/file/unpack_formats.h"

namespace mig::file {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;
constexpr std::size_t kEndSize = 22, kLocatorSize = 20, kEnd64Size = 56, kEntrySize = 46,
                      kLocalSize = 30;
constexpr std::uint32_t kLocal = 0x04034b50, kEntry = 0x02014b50, kEnd = 0x06054b50,
                        kLocator = 0x07064b50, kEnd64 = 0x06064b50;
constexpr std::uint64_t kLongestTarget = 4096;  // PATH_MAX
constexpr std::uint16_t kIn64_16 = 0xffff;      // the number stands in a zip64 field
constexpr std::uint32_t kIn64 = 0xffffffff;

Error Broken(std::string_view why) {
  return Error(Errc::kMalformed, "broken zip: " + std::string(why));
}

// Numbers are little-endian. Requires: they lie inside.
std::uint64_t NumberAt(BytesView bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}
std::uint16_t U16(BytesView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(NumberAt(bytes, at, 2));
}
std::uint32_t U32(BytesView bytes, std::size_t at) {
  return static_cast<std::uint32_t>(NumberAt(bytes, at, 4));
}
std::uint64_t U64(BytesView bytes, std::size_t at) { return NumberAt(bytes, at, 8); }

// Reads a file forward in large pieces, wherever it is told to begin.
class Window {
 public:
  explicit Window(ByteRanges& file) : file_(file) {}

  // Up to `size` bytes at `at`, fewer at the end of the file or of the piece; valid until the next.
  Expected<BytesView> Some(std::uint64_t at, std::size_t size) {
    if (at < from_ || at >= from_ + held_) {
      if (auto ok = Fill(at); !ok) return std::move(ok).error();
    }
    const auto offset = static_cast<std::size_t>(at - from_);
    return BytesView(buffer_.data() + offset, std::min(size, held_ - offset));
  }
  // Exactly so many, at most kChunk. Error also: kMalformed, the file ends before.
  Expected<BytesView> Whole(std::uint64_t at, std::size_t size) {
    auto some = Some(at, size);
    if (some && some->size() < size) {
      if (auto ok = Fill(at); !ok) return std::move(ok).error();
      some = Some(at, size);
    }
    if (some && some->size() < size) return Broken("it points behind its own end");
    return some;
  }

 private:
  Expected<void> Fill(std::uint64_t at) {
    if (buffer_.empty()) buffer_.resize(kChunk);
    from_ = at;
    held_ = 0;
    auto count = file_.ReadAt(at, buffer_);
    if (!count) return std::move(count).error();
    held_ = *count;
    return {};
  }

  ByteRanges& file_;
  std::vector<char> buffer_;
  std::uint64_t from_ = 0;
  std::size_t held_ = 0;
};

struct Directory {
  std::uint64_t at = 0;     // in the file
  std::uint64_t size = 0;   // bytes
  std::uint64_t count = 0;  // members
  std::uint64_t shift = 0;  // what stands before the archive, and its offsets do not count
};

// One entry of the central directory.
struct Entry {
  Member member;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;  // bytes
  std::uint64_t local = 0;   // where its own header is
};

// The record at the end, behind which a comment may stand.
Expected<Directory> FindDirectory(ByteRanges& file) {
  const std::uint64_t size = file.size();
  constexpr std::size_t kMost = kLocatorSize + kEndSize + 0xffff;
  std::vector<char> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(size, kMost)));
  std::size_t held = 0;
  const std::uint64_t from = size - buffer.size();
  while (held < buffer.size()) {
    auto count = file.ReadAt(from + held, std::span(buffer).subspan(held));
    if (!count) return std::move(count).error();
    if (*count == 0) return Broken("it has become shorter");
    held += *count;
  }
  const BytesView tail(buffer.data(), buffer.size());
  std::size_t end = tail.npos;
  for (std::size_t at = tail.size() < kEndSize ? 0 : tail.size() - kEndSize + 1; at-- > 0;) {
    if (U32(tail, at) == kEnd && at + kEndSize + U16(tail, at + 20) <= tail.size()) {
      end = at;
      break;
    }
  }
  if (end == tail.npos) return Broken("it has no directory");
  if (U16(tail, end + 4) != U16(tail, end + 6) || U16(tail, end + 8) != U16(tail, end + 10)) {
    return Broken("it goes over several files");
  }
  Directory directory;
  directory.count = U16(tail, end + 10);
  directory.size = U32(tail, end + 12);
  const std::uint64_t offset = U32(tail, end + 16);
  std::uint64_t behind = from + end;  // where the directory ends
  std::uint64_t at = offset;
  if (directory.count == kIn64_16 || directory.size == kIn64 || offset == kIn64) {
    if (end < kLocatorSize || U32(tail, end - kLocatorSize) != kLocator) {
      if (directory.size == kIn64 || offset == kIn64) return Broken("it has no zip64 directory");
    } else {
      behind = U64(tail, end - kLocatorSize + 8);
      std::array<char, kEnd64Size> record;
      if (behind > size || size - behind < record.size()) return Broken("no zip64 record");
      Window window(file);
      auto bytes = window.Whole(behind, record.size());
      if (!bytes) return std::move(bytes).error();
      if (U32(*bytes, 0) != kEnd64) return Broken("no zip64 record where it should be");
      if (U64(*bytes, 24) != U64(*bytes, 32)) return Broken("it goes over several files");
      directory.count = U64(*bytes, 32);
      directory.size = U64(*bytes, 40);
      at = U64(*bytes, 48);
    }
  }
  if (directory.size > behind || at > behind - directory.size) {
    return Broken("its directory lies behind its end");
  }
  directory.at = behind - directory.size;
  directory.shift = directory.at - at;
  if (directory.count > directory.size / kEntrySize) {
    return Broken("its directory is shorter than the number of its members takes");
  }
  return directory;
}

// MS-DOS had local time without a zone; it is taken for UTC.
std::optional<os::FileTime> DosTime(std::uint16_t date, std::uint16_t time) {
  using namespace std::chrono;
  const year_month_day day(year(1980 + (date >> 9)), month((date >> 5) & 15u),
                           std::chrono::day(date & 31u));
  if (!day.ok()) return std::nullopt;
  const auto at =
      sys_days(day) + hours(time >> 11) + minutes((time >> 5) & 63) + seconds(2 * (time & 31));
  return os::FileTime{duration_cast<seconds>(at.time_since_epoch()).count(), 0};
}

// One of the fields behind the name: fewer of them than there should be are left alone, as each
// program writes its own.
void ReadExtra(std::uint16_t id, BytesView field, bool size_in_64, bool packed_in_64,
               bool local_in_64, Entry& entry) {
  if (id == 0x0001) {  // zip64
    const auto next = [&](std::uint64_t& into) {
      if (field.size() < 8) return;
      into = U64(field, 0);
      field.remove_prefix(8);
    };
    if (size_in_64) next(entry.member.size);
    if (packed_in_64) next(entry.packed);
    if (local_in_64) next(entry.local);
  } else if (id == 0x5455 && field.size() >= 5 && (field[0] & 1) != 0) {  // UNIX times
    entry.member.modified = os::FileTime{static_cast<std::int32_t>(U32(field, 1)), 0};
  } else if (id == 0x7875 && field.size() >= 3 && field[0] == 1) {  // UNIX owner and group
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(field[1]));
    if (size == 0 || size > 4 || field.size() < 3 + size) return;
    entry.member.owner = static_cast<std::uint32_t>(NumberAt(field, 2, size));
    const auto group = static_cast<std::size_t>(static_cast<unsigned char>(field[2 + size]));
    if (group == 0 || group > 4 || field.size() < 3 + size + group) return;
    entry.member.group = static_cast<std::uint32_t>(NumberAt(field, 3 + size, group));
  }
}

os::FileType TypeOf(std::uint32_t unix_mode) {
  switch (unix_mode & 0170000u) {
    case 0040000:
      return os::FileType::kDirectory;
    case 0120000:
      return os::FileType::kSymlink;
    case 0010000:
      return os::FileType::kFifo;
    case 0140000:
      return os::FileType::kSocket;
    case 0020000:
      return os::FileType::kCharDevice;
    case 0060000:
      return os::FileType::kBlockDevice;
    default:
      return os::FileType::kRegular;
  }
}

void SetMode(std::uint8_t system, std::uint32_t attributes, Member& member) {
  const bool unix_like = system == 3 || system == 19;  // UNIX, macOS
  const std::uint32_t mode = attributes >> 16;
  if (unix_like && mode != 0) {
    member.type = TypeOf(mode);
    member.mode = mode & 07777u;
  }
  if (member.name.ends_with('/')) member.type = os::FileType::kDirectory;
}

// Leaves `*at` behind the entry.
Expected<Entry> ReadEntry(Window& window, const Directory& directory, std::uint64_t* at) {
  const std::uint64_t end = directory.at + directory.size;
  const auto fixed = window.Whole(*at, kEntrySize);
  if (!fixed) return fixed.error();
  const BytesView head = *fixed;
  if (U32(head, 0) != kEntry) return Broken("its directory holds something else than members");
  Entry entry;
  entry.flags = U16(head, 8);
  entry.method = U16(head, 10);
  entry.crc = U32(head, 16);
  entry.packed = U32(head, 20);
  entry.member.size = U32(head, 24);
  entry.local = U32(head, 42);
  entry.member.modified = DosTime(U16(head, 14), U16(head, 12));
  const auto system = static_cast<std::uint8_t>(U16(head, 4) >> 8);
  const std::uint32_t attributes = U32(head, 38);
  const std::size_t name_size = U16(head, 28), extra_size = U16(head, 30), comment = U16(head, 32);
  const std::uint64_t whole = kEntrySize + name_size + extra_size + comment;
  if (whole > end - *at) return Broken("its directory ends within a member");
  const auto rest = window.Whole(*at + kEntrySize, name_size + extra_size);
  if (!rest) return rest.error();
  entry.member.name = rest->substr(0, name_size);
  if (entry.member.name.find('\0') != std::string::npos) return Broken("a name with a NUL in it");
  SetMode(system, attributes, entry.member);
  const bool size_in_64 = entry.member.size == kIn64, packed_in_64 = entry.packed == kIn64,
             local_in_64 = entry.local == kIn64;
  for (BytesView extra = rest->substr(name_size); extra.size() >= 4;) {
    const std::size_t size = std::min<std::size_t>(U16(extra, 2), extra.size() - 4);
    ReadExtra(U16(extra, 0), extra.substr(4, size), size_in_64, packed_in_64, local_in_64, entry);
    extra.remove_prefix(4 + size);
  }
  *at += whole;
  return entry;
}

// The methods that can be unpacked: 0 is stored.
struct Method {
  std::uint16_t number;
  std::string_view format;  // of PackedFormats(); empty: deflate without a head
};
constexpr Method kMethods[] = {{8, ""}, {12, "bzip2"}, {93, "zstd"}, {95, "xz"}};

class ZipReader {
 public:
  ZipReader(ByteRanges& file, MemberVisitor& visitor)
      : file_(file), visitor_(visitor), window_(file) {}

  Expected<void> Read() {
    auto directory = FindDirectory(file_);
    if (!directory) return std::move(directory).error();
    shift_ = directory->shift;
    Window entries(file_);
    std::uint64_t at = directory->at;
    for (std::uint64_t i = 0; i < directory->count; ++i) {
      if (directory->at + directory->size - at < kEntrySize) return Broken("its directory is cut");
      auto entry = ReadEntry(entries, *directory, &at);
      if (!entry) return std::move(entry).error();
      Withhold(*entry);
      // What a link says is its content.
      if (entry->member.type == os::FileType::kSymlink && entry->member.withheld.empty()) {
        target_ = &entry->member.target;
        auto ok = Content(*entry);
        target_ = nullptr;
        if (!ok && ok.error().code() != Errc::kMalformed) return ok;
        if (!ok) entry->member.target.clear();
      }
      const MemberVisitor::Want want = visitor_.Begin(entry->member);
      const bool readable =
          entry->member.type == os::FileType::kRegular && entry->member.withheld.empty();
      if (want != MemberVisitor::Want::kContent || !readable) {
        visitor_.End();
        if (want == MemberVisitor::Want::kNoMore) return {};
        continue;
      }
      auto ok = Content(*entry);
      if (ok) {
        visitor_.End();
        continue;
      }
      visitor_.Broken(ok.error());
      // One broken member says nothing of the others; a bomb, or a disk that fails, does.
      if (ok.error().code() != Errc::kMalformed) return ok;
    }
    return {};
  }

 private:
  static void Withhold(Entry& entry) {
    const bool known =
        entry.method == 0 || std::any_of(std::begin(kMethods), std::end(kMethods),
                                         [&](const Method& m) { return m.number == entry.method; });
    if (!known) entry.member.withheld = "unsupportedmember";
    if ((entry.flags & 1u) != 0) entry.member.withheld = "encryptedmember";
  }

  Decoder* DecoderFor(std::uint16_t number) {
    for (std::size_t i = 0; i < std::size(kMethods); ++i) {
      if (kMethods[i].number != number) continue;
      if (decoders_[i] == nullptr) {
        if (kMethods[i].format.empty()) decoders_[i] = MakeInflater();
        for (const PackedFormat& format : PackedFormats()) {
          if (format.name == kMethods[i].format) decoders_[i] = format.make();
        }
      }
      return decoders_[i].get();
    }
    return nullptr;
  }

  // Where its content is.
  Expected<std::uint64_t> Locate(const Entry& entry) {
    const std::uint64_t size = file_.size();
    if (entry.local > size || shift_ > size - entry.local) return Broken("a member behind its end");
    const std::uint64_t local = entry.local + shift_;
    auto head = window_.Whole(local, kLocalSize);
    if (!head) return std::move(head).error();
    if (U32(*head, 0) != kLocal) return Broken("no member where its directory says");
    const std::size_t name_size = U16(*head, 26), extra_size = U16(*head, 28);
    auto name = window_.Whole(local + kLocalSize, name_size);
    if (!name) return std::move(name).error();
    if (*name != entry.member.name)
      return Broken("a member has another name than its directory says");
    const std::uint64_t at = local + kLocalSize + name_size + extra_size;
    if (at > size || entry.packed > size - at) return Broken("it ends within a member");
    return at;
  }

  // Gives out what was unpacked. False: no more is wanted.
  Expected<bool> Give(BytesView bytes) {
    unpacked_ += bytes.size();
    given_ += bytes.size();
    if (unpacked_ > kUnpackedInAnyCase && unpacked_ / kMostRatio > file_.size()) {
      return Error(Errc::kFull, "zip that unpacks to more than " + std::to_string(kMostRatio) +
                                    " times its size");
    }
    crc_ = ::crc32(crc_, reinterpret_cast<const Bytef*>(bytes.data()),
                   static_cast<uInt>(bytes.size()));
    if (target_ == nullptr) return bytes.empty() || visitor_.Content(bytes);
    if (given_ > kLongestTarget) return Broken("a link's target is too long");
    target_->append(bytes);
    return true;
  }

  Expected<void> Content(const Entry& entry) {
    auto located = Locate(entry);
    if (!located) return std::move(located).error();
    Decoder* decoder = nullptr;
    if (entry.method != 0) {
      decoder = DecoderFor(entry.method);
      if (decoder == nullptr || !decoder->Begin()) {
        return Error(Errc::kInternal, "no memory to unpack a zip's member");
      }
    }
    if (out_.empty()) out_.resize(kChunk);
    crc_ = ::crc32(0, nullptr, 0);
    given_ = 0;
    std::uint64_t at = *located;
    bool ended = decoder == nullptr;
    for (std::uint64_t left = entry.packed; left > 0;) {
      auto some = window_.Some(at, static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk)));
      if (!some) return std::move(some).error();
      if (some->empty()) return Broken("it has become shorter");
      at += some->size();
      left -= some->size();
      auto more = decoder == nullptr ? Give(*some) : Unpack(*decoder, *some, &ended);
      if (!more) return std::move(more).error();
      if (!*more) return {};  // what is not wanted is not checked either
      if (ended && decoder != nullptr) break;
    }
    if (!ended) return Broken("a member ends too early");
    if (given_ != entry.member.size) return Broken("a member has another size than it should");
    if (crc_ != entry.crc) return Broken("a member's checksum is wrong");
    return {};
  }

  // False: no more is wanted.
  Expected<bool> Unpack(Decoder& decoder, BytesView packed, bool* ended) {
    bool more = false;
    while ((!packed.empty() || more) && !*ended) {
      const std::size_t before = packed.size();
      auto step = decoder.Unpack(packed, out_);
      if (!step) return std::move(step).error();
      auto wanted = Give(BytesView(out_.data(), step->produced));
      if (!wanted || !*wanted) return wanted;
      *ended = step->ended;
      more = step->produced == out_.size();
      if (!*ended && step->produced == 0 && packed.size() == before && before > 0) {
        return Broken("a member's content does not go on");
      }
    }
    return true;
  }

  ByteRanges& file_;
  MemberVisitor& visitor_;
  Window window_;
  std::uint64_t shift_ = 0;
  std::string* target_ = nullptr;  // what is read goes here instead of to the visitor
  std::array<std::unique_ptr<Decoder>, std::size(kMethods)> decoders_;
  std::vector<char> out_;
  std::uint64_t unpacked_ = 0;  // of all members
  std::uint64_t given_ = 0;     // of this one
  uLong crc_ = 0;
};

}  // namespace

bool BeginsZip(BytesView bytes) {
  return bytes.size() >= 4 && (U32(bytes, 0) == kLocal || U32(bytes, 0) == kEnd);
}

Expected<void> ReadZip(ByteRanges& file, MemberVisitor& visitor) {
  return ZipReader(file, visitor).Read();
}

}  // namespace mig::file
