#include "modules/file/metadata_check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "modules/file/file_flags.h"
#include "modules/file/pattern.h"
#include "util/text.h"

namespace mig::file {
namespace {

// In the order of their bits.
constexpr std::array<std::pair<char, os::FileType>, 7> kTypes = {{
    {'f', os::FileType::kRegular},
    {'d', os::FileType::kDirectory},
    {'l', os::FileType::kSymlink},
    {'p', os::FileType::kFifo},
    {'s', os::FileType::kSocket},
    {'b', os::FileType::kBlockDevice},
    {'c', os::FileType::kCharDevice},
}};

Error Bad(const Check& check, std::string_view what) {
  return Error(Errc::kInvalid, "`" + check.value + "` is not " + std::string(what));
}

// The value without its `!`, which is noted.
std::string_view WithoutInversion(Check& check) {
  std::string_view text = check.value;
  check.inverted = text.size() > 1 && text.front() == '!';
  if (check.inverted) text.remove_prefix(1);
  return text;
}

template <typename Number>
bool ReadWhole(std::string_view text, Number* number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

// A number after an optional < or >, then a unit. Leaves the unit in `text`.
bool ReadBound(std::string_view& text, char* sign, std::uint64_t* number) {
  *sign = ' ';
  if (text.starts_with('<') || text.starts_with('>')) {
    *sign = text.front();
    text.remove_prefix(1);
  }
  std::size_t digits = 0;
  std::uint64_t value = 0;
  while (digits < text.size() && digits < 16 && text[digits] >= '0' && text[digits] <= '9') {
    value = value * 10 + static_cast<std::uint64_t>(text[digits++] - '0');
  }
  text.remove_prefix(digits);
  *number = value;
  return digits > 0;
}

void SetBounds(Check& check, char sign, std::uint64_t number) {
  check.least = sign == '<' ? 0 : number;
  check.most = sign == '>' ? std::numeric_limits<std::uint64_t>::max() : number;
}

Expected<void> ParseSize(Check& check) {
  const Error bad = Bad(check, "a size like <10k, >2g or 512");
  std::string_view text = check.value;
  char sign = ' ';
  std::uint64_t number = 0;
  if (!ReadBound(text, &sign, &number)) return bad;
  constexpr std::string_view kUnits = "kmgt";
  if (!text.empty()) {
    const auto unit = kUnits.find(text[0]);
    if (text.size() != 1 || unit == std::string_view::npos) return bad;
    const unsigned shift = 10 * (static_cast<unsigned>(unit) + 1);
    if (number > (std::uint64_t{1} << (63 - shift))) return bad;
    number <<= shift;
  }
  SetBounds(check, sign, number);
  return {};
}

Expected<void> ParseLinks(Check& check) {
  std::string_view text = check.value;
  char sign = ' ';
  std::uint64_t number = 0;
  if (!ReadBound(text, &sign, &number) || !text.empty()) {
    return Bad(check, "a number of links like >2, <10 or 1");
  }
  SetBounds(check, sign, number);
  return {};
}

Expected<void> ParseAge(Check& check) {
  const Error bad = Bad(check, "an age like <90d, >12h or <30m");
  std::string_view text = check.value;
  char sign = ' ';
  std::uint64_t number = 0;
  if (!ReadBound(text, &sign, &number) || sign == ' ' || text.size() != 1) return bad;
  std::chrono::seconds unit(0);
  if (text[0] == 'd') unit = std::chrono::hours(24);
  if (text[0] == 'h') unit = std::chrono::hours(1);
  if (text[0] == 'm') unit = std::chrono::minutes(1);
  if (unit.count() == 0 || number > 36'500 * 24 * 60) return bad;
  check.age = unit * static_cast<std::int64_t>(number);
  if (check.age > std::chrono::hours(24 * 36'500)) return bad;
  check.younger = sign == '<';
  return {};
}

// `4755`, `-4000`, `/6000`. A mode's text has no digits, so none of these could ever have matched
// as a regular expression, and no regular expression that can match is taken for one of these.
Expected<bool> ParseBits(Check& check) {
  std::string_view text = WithoutInversion(check);
  check.bit_test = BitTest::kExact;
  if (text.starts_with('-')) check.bit_test = BitTest::kAll;
  if (text.starts_with('/')) check.bit_test = BitTest::kAny;
  if (check.bit_test != BitTest::kExact) text.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) {
    check.bit_test = BitTest::kNone;
    return false;
  }
  if (!ReadWhole(text, &check.bits, 8) || check.bits > 07777) {
    return Bad(check, "an octal mode from 0 to 7777");
  }
  if (check.bits == 0 && check.bit_test != BitTest::kExact) {
    return Error(Errc::kInvalid, "`" + check.value + "` asks for no bit");
  }
  return true;
}

Expected<void> ParseMode(Check& check) {
  auto octal = ParseBits(check);
  if (!octal) return std::move(octal).error();
  return *octal ? Expected<void>() : ParseRegex(check);
}

// A name's number is looked up on the machine that is asked.
Expected<void> ParseOwner(Check& check) {
  const std::string_view text = WithoutInversion(check);
  std::uint32_t number = 0;
  if (ReadWhole(text, &number)) {
    check.least = check.most = number;
    return {};
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text == "!" || std::all_of(text.begin(), text.end(), is_digit) ||
      text.find_first_of(std::string_view(":\n\0", 3)) != text.npos) {
    return Bad(check, "a name or a number from 0 to 4294967295");
  }
  check.by_name = true;
  return {};
}

Expected<void> ParseInode(Check& check) {
  std::uint64_t number = 0;
  if (!ReadWhole(std::string_view(check.value), &number)) return Bad(check, "an inode's number");
  check.least = check.most = number;
  return {};
}

Expected<void> ParseType(Check& check) {
  const Error bad = Bad(check, "one or more of f, d, l, p, s, b, c with commas between them");
  for (const std::string_view letter : Split(WithoutInversion(check), ',')) {
    const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const auto& type) {
      return letter.size() == 1 && letter[0] == type.first;
    });
    if (known == kTypes.end()) return bad;
    check.bits |= TypeBit(known->second);
  }
  constexpr std::uint32_t kAllTypes = (1u << kTypes.size()) - 1;
  if (check.inverted && check.bits == kAllTypes) {
    return Error(Errc::kInvalid, "`" + check.value + "` leaves no type");
  }
  return {};
}

Expected<void> ParseFlag(Check& check) {
  const std::string_view text = WithoutInversion(check);
  std::string names;
  for (const FlagName& flag : kFlagNames) {
    if (flag.name == text) {
      check.bits = static_cast<std::uint32_t>(flag.flag);
      return {};
    }
    names += (names.empty() ? "" : ", ") + std::string(flag.name);
  }
  return Bad(check, "one of " + names);
}

// NAME or NAME=VALUE, both regular expressions. Names of attributes have no `=`.
Expected<void> ParseXattr(Check& check) {
  const std::string_view text = WithoutInversion(check);
  const std::size_t equals = std::min(text.find('='), text.size());
  if (equals == 0) return Bad(check, "NAME or NAME=VALUE");
  auto name = BytePattern::Compile(std::string(text.substr(0, equals)));
  if (!name) return std::move(name).error();
  check.pattern = std::move(*name);
  if (equals + 1 >= text.size()) {
    if (equals < text.size()) return Bad(check, "NAME or NAME=VALUE");
    return {};
  }
  auto value = BytePattern::Compile(std::string(text.substr(equals + 1)));
  if (!value) return std::move(value).error();
  check.value_pattern = std::move(*value);
  return {};
}

}  // namespace

char TypeLetter(os::FileType type) {
  for (const auto& [letter, known] : kTypes) {
    if (known == type) return letter;
  }
  return '\0';
}

std::uint32_t TypeBit(os::FileType type) {
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i].second == type) return std::uint32_t{1} << i;
  }
  return 0;
}

Expected<void> ParseRegex(Check& check) {
  const std::string regex(WithoutInversion(check));
  if (regex.empty()) return Error(Errc::kInvalid, "is empty");
  auto compiled = BytePattern::Compile(regex);
  if (!compiled) return std::move(compiled).error();
  check.pattern = std::move(*compiled);
  return {};
}

Expected<void> ParseMetadataCheck(Check& check) {
  switch (check.kind) {
    case CheckKind::kName:
    case CheckKind::kLinkTarget:
    case CheckKind::kCapability:
      return ParseRegex(check);
    case CheckKind::kMode:
      return ParseMode(check);
    case CheckKind::kSize:
      return ParseSize(check);
    case CheckKind::kMtime:
    case CheckKind::kCtime:
    case CheckKind::kAtime:
    case CheckKind::kBtime:
      return ParseAge(check);
    case CheckKind::kOwner:
    case CheckKind::kGroup:
      return ParseOwner(check);
    case CheckKind::kInode:
      return ParseInode(check);
    case CheckKind::kLinks:
      return ParseLinks(check);
    case CheckKind::kType:
      return ParseType(check);
    case CheckKind::kFlag:
      return ParseFlag(check);
    case CheckKind::kXattr:
      return ParseXattr(check);
    default:
      return Error(Errc::kInternal, "not a check of metadata");
  }
}

}  // namespace mig::file
