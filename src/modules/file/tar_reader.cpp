#include "modules/file/tar_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace mig::file {
namespace {

// Where the fields of a header block are.
struct Field {
  std::size_t at, size;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kOwner{108, 8}, kGroup{116, 8}, kSize{124, 12},
    kModified{136, 12}, kChecksum{148, 8}, kTarget{157, 100}, kMagic{257, 8}, kOwnerName{265, 32},
    kGroupName{297, 32}, kPrefix{345, 155};
constexpr std::size_t kType = 156;
// GNU tar's sparse files, in the place of the prefix.
constexpr Field kRealSize{483, 12};
constexpr std::size_t kMoreMap = 482;         // whether blocks of the map follow
constexpr std::size_t kMoreMapInBlock = 504;  // the same in such a block

constexpr std::string_view kPosixMagic("ustar\0", 6);
constexpr std::string_view kGnuMagic("ustar  \0", 8);
// The keys of GNU tar's sparse files in pax headers.
constexpr std::string_view kSparsePrefix = "GNU.sparse.";

Error Broken(std::string_view why) {
  return Error(Errc::kMalformed, "broken tar: " + std::string(why));
}

BytesView At(BytesView block, Field field) { return block.substr(field.at, field.size); }

std::string TextAt(BytesView block, Field field) {
  const BytesView text = At(block, field);
  return std::string(text.substr(0, text.find('\0')));
}

// Octal digits between spaces, or GNU's base 256 with the highest bit set. An empty field is 0.
std::optional<std::int64_t> NumberAt(BytesView block, Field field) {
  BytesView text = At(block, field);
  const auto first = static_cast<unsigned char>(text[0]);
  if ((first & 0x80u) != 0) {
    const bool negative = (first & 0x40u) != 0;
    // Two's complement, of which only what fits 64 bits is taken.
    std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto byte = static_cast<unsigned char>(text[i]);
      if (i == 0 && !negative) byte &= 0x7fu;
      const bool fits = negative ? (value >> 55) == 0x1ff : (value >> 55) == 0;
      if (!fits) return std::nullopt;
      value = value << 8 | byte;
    }
    return static_cast<std::int64_t>(value);
  }
  text = text.substr(0, text.find('\0'));
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return 0;
  text = text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool ChecksumFits(BytesView block) {
  const auto expected = NumberAt(block, kChecksum);
  if (!expected) return false;
  std::int64_t plain = 0;
  std::int64_t with_signs = 0;  // as some old ones added them up
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool in_sum = i >= kChecksum.at && i < kChecksum.at + kChecksum.size;
    const char c = in_sum ? ' ' : block[i];
    plain += static_cast<unsigned char>(c);
    with_signs += static_cast<signed char>(c);
  }
  return *expected == plain || *expected == with_signs;
}

bool IsZero(BytesView block) { return block.find_first_not_of('\0') == block.npos; }

std::optional<std::uint32_t> Narrow(std::optional<std::int64_t> number) {
  if (!number || *number < 0 || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// A file whose members' content follows their header, in contrast to links and folders.
bool HasContent(char type, bool pax) {
  switch (type) {
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
      return false;
    case '1':
      return pax;  // pax may repeat the content with each link; others name its size and leave it
                   // out
    default:
      return true;
  }
}

os::FileType TypeOf(char type, std::string_view name) {
  switch (type) {
    case '2':
      return os::FileType::kSymlink;
    case '3':
      return os::FileType::kCharDevice;
    case '4':
      return os::FileType::kBlockDevice;
    case '5':
    case 'D':  // GNU tar's, with a list of what it held
      return os::FileType::kDirectory;
    case '6':
      return os::FileType::kFifo;
    default:
      // UNIX V7 had no type for folders.
      return name.ends_with('/') ? os::FileType::kDirectory : os::FileType::kRegular;
  }
}

template <typename Number>
std::optional<Number> Decimal(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "1700000000.25", also negative; digits past nanoseconds are cut.
std::optional<os::FileTime> TimeIn(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto seconds = Decimal<std::int64_t>(text.substr(0, point));
  if (!seconds) return std::nullopt;
  os::FileTime time{*seconds, 0};
  std::string digits(text.substr(std::min(point + 1, text.size())));
  digits.resize(9, '0');
  const auto fraction = Decimal<std::uint32_t>(digits);
  if (!fraction) return std::nullopt;
  time.nanoseconds = *fraction;
  // The fraction of a negative time counts away from zero.
  if (text.starts_with('-') && time.nanoseconds > 0) {
    if (time.seconds == INT64_MIN) return std::nullopt;
    --time.seconds;
    time.nanoseconds = 1'000'000'000 - time.nanoseconds;
  }
  return time;
}

}  // namespace

bool TarReader::Begins(BytesView block) {
  return block.size() == kTarBlock && block[0] != '\0' && ChecksumFits(block);
}

void TarReader::Begin() {
  state_ = State::kHeader;
  block_.clear();
  extended_.clear();
  global_.clear();
  next_.clear();
  long_name_.clear();
  long_target_.clear();
  left_ = padding_ = 0;
  pax_ = in_member_ = zero_block_ = false;
}

const std::string* TarReader::RecordOf(std::string_view key) const {
  for (const Records* records : {&next_, &global_}) {
    if (const auto found = records->find(key); found != records->end()) return &found->second;
  }
  return nullptr;
}

Expected<void> TarReader::Feed(BytesView bytes) {
  while (!bytes.empty() && state_ != State::kEnd) {
    if (state_ == State::kHeader || state_ == State::kSparseMap) {
      const BytesView part = bytes.substr(0, kTarBlock - block_.size());
      bytes.remove_prefix(part.size());
      block_.append(part);
      if (block_.size() < kTarBlock) return {};
      if (state_ == State::kSparseMap) {
        if (block_[kMoreMapInBlock] == '\0') state_ = State::kPassOver;
      } else if (auto ok = Header(block_); !ok) {
        state_ = State::kEnd;
        return ok;
      }
      block_.clear();
    } else {
      const BytesView part = bytes.substr(0, std::min<std::uint64_t>(left_, bytes.size()));
      bytes.remove_prefix(part.size());
      left_ -= part.size();
      if (state_ == State::kExtended) extended_.append(part);
      if (state_ == State::kContent) Content(part);
    }
    while (left_ == 0 && (state_ == State::kExtended || state_ == State::kContent ||
                          state_ == State::kPassOver || state_ == State::kPadding)) {
      if (state_ == State::kExtended) {
        if (auto ok = Extended(); !ok) {
          state_ = State::kEnd;
          return ok;
        }
      }
      AfterContent();
    }
  }
  return {};
}

// The padding, then the next header.
void TarReader::AfterContent() {
  if (state_ != State::kPadding && in_member_) {
    in_member_ = false;
    visitor_.End();
  }
  left_ = std::exchange(padding_, 0);
  state_ = left_ > 0 ? State::kPadding : State::kHeader;
}

void TarReader::Content(BytesView bytes) {
  if (visitor_.Content(bytes)) return;
  state_ = State::kPassOver;
}

void TarReader::Abandon(const Error& error) {
  state_ = State::kEnd;
  if (std::exchange(in_member_, false)) visitor_.Broken(error);
}

Expected<void> TarReader::Finish() {
  if (state_ == State::kEnd) return {};
  const bool between = state_ == State::kHeader && block_.empty();
  const Error error = Broken(between ? "it ends without an end mark" : "it ends too early");
  Abandon(error);
  // Some programs write only half of the end mark.
  if (between && zero_block_) return {};
  return error;
}

Expected<void> TarReader::Header(BytesView block) {
  if (IsZero(block)) {
    if (zero_block_) state_ = State::kEnd;
    zero_block_ = true;
    return {};
  }
  if (zero_block_) {
    state_ = State::kEnd;  // tar ends at a single zero block too, with a warning
    return {};
  }
  if (!ChecksumFits(block)) return Broken("a header's checksum is wrong");
  const char type = block[kType];
  const auto size = NumberAt(block, kSize);
  if (!size || *size < 0) return Broken("a size is no number");
  std::uint64_t stored = static_cast<std::uint64_t>(*size);

  const bool extended = type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K';
  if (extended) {
    if (stored > kLongestHeader) return Broken("an extended header of more than 1 MiB");
    extended_type_ = type;
    extended_.clear();
    state_ = State::kExtended;
  } else {
    auto member = MemberOf(block);
    if (!member) return std::move(member).error();
    if (auto ok = ApplyRecords(*member, &stored); !ok) return ok;
    const bool label = type == 'V';  // of the volume, not a file
    const bool map_follows = type == 'S' && block[kMoreMap] != '\0';
    if (!HasContent(type, pax_)) stored = 0;
    if (member->type == os::FileType::kRegular && member->withheld.empty() && !member->hard_link) {
      member->size = stored;
    }
    state_ = State::kPassOver;
    if (!label) BeginMember(*member, type);
    if (state_ == State::kEnd) return {};
    if (map_follows) state_ = State::kSparseMap;
    next_.clear();
    long_name_.clear();
    long_target_.clear();
    pax_ = false;
  }
  left_ = stored;
  padding_ = (kTarBlock - stored % kTarBlock) % kTarBlock;
  return {};
}

void TarReader::BeginMember(const Member& member, char type) {
  const MemberVisitor::Want want = visitor_.Begin(member);
  in_member_ = true;
  const bool readable =
      member.type == os::FileType::kRegular && !member.hard_link && member.withheld.empty();
  if (want == MemberVisitor::Want::kNoMore) {
    in_member_ = false;
    visitor_.End();
    state_ = State::kEnd;
  } else if (want == MemberVisitor::Want::kContent && readable && type != 'D') {
    state_ = State::kContent;
  }
}

Expected<Member> TarReader::MemberOf(BytesView block) const {
  Member member;
  const char type = block[kType];
  const bool posix = At(block, kMagic).starts_with(kPosixMagic);
  const bool gnu = At(block, kMagic) == kGnuMagic;
  member.name = TextAt(block, kName);
  if (posix) {
    const std::string prefix = TextAt(block, kPrefix);
    if (!prefix.empty()) member.name = prefix + "/" + member.name;
  }
  member.target = TextAt(block, kTarget);
  if (!long_name_.empty()) member.name = long_name_;
  if (!long_target_.empty()) member.target = long_target_;
  if (posix || gnu) {
    member.owner_name = TextAt(block, kOwnerName);
    member.group_name = TextAt(block, kGroupName);
  }
  member.mode = Narrow(NumberAt(block, kMode));
  if (member.mode) *member.mode &= 07777u;
  member.owner = Narrow(NumberAt(block, kOwner));
  member.group = Narrow(NumberAt(block, kGroup));
  if (const auto seconds = NumberAt(block, kModified)) member.modified = os::FileTime{*seconds, 0};
  member.hard_link = type == '1';
  if (type == 'S') {
    const auto real = NumberAt(block, kRealSize);
    if (!real || *real < 0) return Broken("a size is no number");
    member.size = static_cast<std::uint64_t>(*real);
    member.withheld = "sparsemember";
  } else if (type == 'M') {
    member.withheld = "unsupportedmember";  // the rest of a file that began in another archive
  }
  return member;
}

// What the pax headers say instead. A value that cannot be read is as if the archive did not say.
Expected<void> TarReader::ApplyRecords(Member& member, std::uint64_t* stored) const {
  const auto text = [&](std::string_view key, std::string& into) {
    if (const std::string* value = RecordOf(key)) into = *value;
  };
  text("path", member.name);
  text("linkpath", member.target);
  text("uname", member.owner_name);
  text("gname", member.group_name);
  if (const std::string* value = RecordOf("uid")) {
    member.owner = Narrow(Decimal<std::int64_t>(*value));
  }
  if (const std::string* value = RecordOf("gid")) {
    member.group = Narrow(Decimal<std::int64_t>(*value));
  }
  if (const std::string* value = RecordOf("mtime")) member.modified = TimeIn(*value);
  if (const std::string* value = RecordOf("size")) {
    const auto size = Decimal<std::uint64_t>(*value);
    if (!size || *size > INT64_MAX) return Broken("a size is no number");
    *stored = *size;
  }
  const auto sparse = next_.lower_bound(kSparsePrefix);
  if (sparse != next_.end() && sparse->first.starts_with(kSparsePrefix)) {
    member.withheld = "sparsemember";
    text("GNU.sparse.name", member.name);
    member.size = *stored;
    for (const std::string_view key : {"GNU.sparse.size", "GNU.sparse.realsize"}) {
      const std::string* value = RecordOf(key);
      if (const auto size = value == nullptr ? std::nullopt : Decimal<std::uint64_t>(*value)) {
        member.size = *size;
      }
    }
  }
  // A folder's name in pax has its slash as in ustar; a NUL in a name ends it nowhere else.
  if (const std::size_t end = member.name.find('\0'); end != std::string::npos) {
    return Broken("a name with a NUL in it");
  }
  member.type = TypeOf(block_[kType], member.name);
  return {};
}

Expected<void> TarReader::Extended() {
  if (extended_type_ == 'L' || extended_type_ == 'K') {
    std::string& into = extended_type_ == 'L' ? long_name_ : long_target_;
    into = extended_.substr(0, extended_.find('\0'));
    return {};
  }
  Records& records = extended_type_ == 'g' ? global_ : next_;
  if (extended_type_ != 'g') pax_ = true;
  // Each record is "LENGTH KEY=VALUE\n", and counts itself.
  for (std::string_view rest = extended_; !rest.empty();) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const auto length = Decimal<std::size_t>(rest.substr(0, space));
    if (!length || *length > rest.size() || *length < space + 2 || rest[*length - 1] != '\n') {
      return Broken("an extended header's record has a wrong length");
    }
    const std::string_view record = rest.substr(space + 1, *length - space - 2);
    const std::size_t equals = record.find('=');
    if (equals == record.npos) return Broken("an extended header's record has no =");
    const std::string_view value = record.substr(equals + 1);
    // An empty value takes back what a global header said.
    if (value.empty() && extended_type_ == 'g') {
      records.erase(std::string(record.substr(0, equals)));
    } else {
      records[std::string(record.substr(0, equals))] = value;
    }
    rest.remove_prefix(*length);
  }
  return {};
}

}  // namespace mig::file
