#include "modules/file/search.h"

#include <algorithm>
#include <array>
#include <limits>

#include "modules/file/pattern.h"
#include "util/encoding.h"
#include "util/text.h"

namespace mig::file {
namespace {

struct Field {
  std::string_view name;
  std::string_view mismatch;  // the word of options.mismatch for it
  CheckKind kind;
};
// In the order of evaluation: what costs nothing first.
constexpr std::array kFields = {
    Field{"names", "name", CheckKind::kName},          Field{"modes", "mode", CheckKind::kMode},
    Field{"sizes", "size", CheckKind::kSize},          Field{"mtimes", "mtime", CheckKind::kMtime},
    Field{"contents", "content", CheckKind::kContent}, Field{"md5", "md5", CheckKind::kDigest},
    Field{"sha1", "sha1", CheckKind::kDigest},         Field{"sha2", "sha2", CheckKind::kDigest},
    Field{"sha3", "sha3", CheckKind::kDigest},
};

struct DigestForm {
  std::string_view field;
  std::size_t digits;
  DigestKind kind;
};
constexpr std::array kDigests = {
    DigestForm{"md5", 32, DigestKind::kMd5},        DigestForm{"sha1", 40, DigestKind::kSha1},
    DigestForm{"sha2", 64, DigestKind::kSha256},    DigestForm{"sha2", 96, DigestKind::kSha384},
    DigestForm{"sha2", 128, DigestKind::kSha512},   DigestForm{"sha3", 56, DigestKind::kSha3_224},
    DigestForm{"sha3", 64, DigestKind::kSha3_256},  DigestForm{"sha3", 96, DigestKind::kSha3_384},
    DigestForm{"sha3", 128, DigestKind::kSha3_512},
};

constexpr std::size_t kMaxSearches = 256;

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

Expected<void> ParseSize(std::string_view text, Check* check) {
  const Error bad(Errc::kInvalid,
                  "`" + std::string(text) + "` is not a size like <10k, >2g or 512");
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
  check->least = sign == '<' ? 0 : number;
  check->most = sign == '>' ? std::numeric_limits<std::uint64_t>::max() : number;
  return {};
}

Expected<void> ParseAge(std::string_view text, Check* check) {
  const Error bad(Errc::kInvalid,
                  "`" + std::string(text) + "` is not an age like <90d, >12h or <30m");
  char sign = ' ';
  std::uint64_t number = 0;
  if (!ReadBound(text, &sign, &number) || sign == ' ' || text.size() != 1) return bad;
  std::chrono::seconds unit(0);
  if (text[0] == 'd') unit = std::chrono::hours(24);
  if (text[0] == 'h') unit = std::chrono::hours(1);
  if (text[0] == 'm') unit = std::chrono::minutes(1);
  if (unit.count() == 0 || number > 36'500 * 24 * 60) return bad;
  check->age = unit * static_cast<std::int64_t>(number);
  if (check->age > std::chrono::hours(24 * 36'500)) return bad;
  check->younger = sign == '<';
  return {};
}

Expected<void> ParseDigest(std::string_view field, std::string_view text, Check* check) {
  auto bytes = DecodeHex(text);
  if (!bytes) return std::move(bytes).error();
  for (const DigestForm& form : kDigests) {
    if (form.field == field && form.digits == text.size()) {
      check->digest = form.kind;
      check->expected = std::move(*bytes);
      return {};
    }
  }
  std::string lengths;
  for (const DigestForm& form : kDigests) {
    if (form.field != field) continue;
    lengths += (lengths.empty() ? "" : ", ") + std::to_string(form.digits);
  }
  return Error(Errc::kInvalid,
               std::to_string(text.size()) + " digits; " + std::string(field) + " has " + lengths);
}

Expected<Check> ParseCheck(const Field& field, std::string value, bool mismatch) {
  Check check;
  check.kind = field.kind;
  check.field = field.name;
  check.value = std::move(value);
  check.mismatch = mismatch;
  switch (field.kind) {
    case CheckKind::kName:
    case CheckKind::kMode:
    case CheckKind::kContent: {
      std::string regex = check.value;
      if (regex.size() > 1 && regex[0] == '!') {
        check.inverted = true;
        regex.erase(0, 1);
      }
      if (regex.empty()) return Error(Errc::kInvalid, "is empty");
      auto compiled = BytePattern::Compile(regex);
      if (!compiled) return std::move(compiled).error();
      check.pattern = std::move(*compiled);
      return check;
    }
    case CheckKind::kSize:
      if (auto ok = ParseSize(check.value, &check); !ok) return std::move(ok).error();
      return check;
    case CheckKind::kMtime:
      if (auto ok = ParseAge(check.value, &check); !ok) return std::move(ok).error();
      return check;
    case CheckKind::kDigest:
      if (auto ok = ParseDigest(field.name, check.value, &check); !ok) {
        return std::move(ok).error();
      }
      return check;
  }
  return Error(Errc::kInternal, "unknown kind of check");
}

const json::value* FieldOf(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::vector<std::string> Texts(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  if (const json::value* found = FieldOf(object, name)) {
    for (const json::value& item : found->as_array()) texts.emplace_back(item.as_string());
  }
  return texts;
}

std::uint64_t NumberIn(const json::object& options, std::string_view name) {
  const json::value* found = FieldOf(options, name);
  return found == nullptr ? 0 : found->to_number<std::uint64_t>();
}

bool FlagIn(const json::object& options, std::string_view name) {
  const json::value* found = FieldOf(options, name);
  return found != nullptr && found->as_bool();
}

// Past this size, repeating the definition with each find helps nobody: a search for a thousand
// digests would travel with each of them.
constexpr std::size_t kMaxRepeatedBytes = 4096;
constexpr std::size_t kListsCutTo = 3;

// Cuts the lists of a definition, then leaves them out, until it is small enough; says so.
void Abridge(json::object& definition) {
  definition["abridged"] = true;
  for (auto& member : definition) {
    json::array* list = member.value().if_array();
    if (list != nullptr && list->size() > kListsCutTo) list->resize(kListsCutTo);
  }
  if (json::Write(definition).size() <= kMaxRepeatedBytes) return;
  for (auto& member : definition) {
    if (member.value().is_array()) member.value() = json::array();
  }
  if (json::Write(definition).size() > kMaxRepeatedBytes) definition.erase("description");
}

// As MIG puts a search into its results: the definition, its numbers zeroed.
json::object RepeatedForm(const json::object& fields, const Search& search) {
  json::object asked;
  for (const auto& member : fields) {
    if (member.key() == "options" || member.value().is_null()) continue;
    asked[member.key()] = member.value();
  }
  json::object options{{"maxdepth", 0},
                       {"maxerrors", 0},
                       {"matchall", search.matchall},
                       {"macroal", search.macroal},
                       {"mismatch", nullptr},
                       {"matchlimit", 0}};
  if (const json::value* given = FieldOf(fields, "options")) {
    if (const json::value* mismatch = FieldOf(given->as_object(), "mismatch")) {
      options["mismatch"] = *mismatch;
    }
  }
  if (search.returnsha256) options["returnsha256"] = true;
  if (search.decompress) options["decompress"] = true;
  if (search.remotefs) options["remotefs"] = true;
  asked["options"] = std::move(options);
  if (json::Write(asked).size() > kMaxRepeatedBytes) Abridge(asked);
  return asked;
}

Error Exclude(const Check& a, const Check& b) {
  return Error(Errc::kInvalid, a.field + ": no file is both `" + a.value + "` and `" + b.value +
                                   "`; with matchany either would do");
}

// Two checks that no file can satisfy at once: the answer would be "nothing", whatever there is.
Expected<void> CheckNotContradictory(const Search& search) {
  for (const Check& a : search.checks) {
    for (const Check& b : search.checks) {
      if (a.kind != b.kind || a.mismatch || &a == &b) continue;
      if (a.kind == CheckKind::kDigest && a.digest == b.digest && a.expected != b.expected) {
        return Exclude(a, b);
      }
      if (a.kind == CheckKind::kSize && a.least > b.most) return Exclude(a, b);
      if (a.kind == CheckKind::kMtime && a.younger && !b.younger && a.age <= b.age) {
        return Exclude(a, b);
      }
    }
  }
  return {};
}

// Only what the declaration of the parameters cannot say.
Expected<void> CheckWhole(const Search& search, const std::vector<std::string>& mismatch) {
  if (search.checks.empty()) {
    return Error(Errc::kInvalid,
                 "asks for nothing: add a name, content, size, mode, mtime or digest");
  }
  const auto has = [&](CheckKind kind, std::string_view field) {
    return std::any_of(search.checks.begin(), search.checks.end(), [&](const Check& check) {
      return check.kind == kind && (field.empty() || check.field == field);
    });
  };
  for (const std::string& word : mismatch) {
    for (const Field& field : kFields) {
      if (field.mismatch == word && !has(field.kind, field.name)) {
        return Error(Errc::kInvalid, "options.mismatch: `" + word + "`, but there are no " +
                                         std::string(field.name));
      }
    }
  }
  if (search.macroal && !has(CheckKind::kContent, "")) {
    return Error(Errc::kInvalid, "options.macroal: there are no contents that lines could match");
  }
  return search.matchall ? CheckNotContradictory(search) : Expected<void>();
}

Expected<Search> ParseSearch(std::string label, const json::object& fields) {
  Search search;
  search.label = std::move(label);
  const json::object no_options;
  const json::value* given = FieldOf(fields, "options");
  const json::object& options = given == nullptr ? no_options : given->as_object();
  search.matchall = FlagIn(options, "matchall");
  search.macroal = FlagIn(options, "macroal");
  search.returnsha256 = FlagIn(options, "returnsha256");
  search.decompress = FlagIn(options, "decompress");
  search.remotefs = FlagIn(options, "remotefs");
  search.maxdepth = NumberIn(options, "maxdepth");
  search.matchlimit = NumberIn(options, "matchlimit");
  search.maxerrors = NumberIn(options, "maxerrors");
  const std::vector<std::string> mismatch = Texts(options, "mismatch");

  const json::value* paths = FieldOf(fields, "paths");
  if (paths == nullptr || paths->as_array().empty()) {
    return Error(Errc::kInvalid, "paths: name at least one");
  }
  for (const json::value& item : paths->as_array()) {
    auto path = json::ToName(item);
    if (!path) return std::move(path).error().During("paths");
    std::string clean = CleanPath(*path);
    if (clean.empty()) {
      return Error(Errc::kInvalid,
                   "paths: `" + *path + "` is not absolute (it has to begin with /)");
    }
    search.paths.push_back(std::move(clean));
  }
  for (const Field& field : kFields) {
    const bool turned =
        std::find(mismatch.begin(), mismatch.end(), field.mismatch) != mismatch.end();
    for (std::string& value : Texts(fields, field.name)) {
      auto check = ParseCheck(field, std::move(value), turned);
      if (!check) return std::move(check).error().During(field.name);
      if (field.kind != CheckKind::kContent && field.kind != CheckKind::kDigest) ++search.cheap;
      search.checks.push_back(std::move(*check));
    }
  }
  if (auto ok = CheckWhole(search, mismatch); !ok) return std::move(ok).error();
  search.repeated = RepeatedForm(fields, search);
  return search;
}

}  // namespace

Expected<std::vector<Search>> ParseSearches(const json::object& parameters) {
  std::vector<Search> searches;
  const json::object& labelled = parameters.at("searches").as_object();
  if (labelled.size() > kMaxSearches) {
    return Error(Errc::kInvalid, "searches: more than " + std::to_string(kMaxSearches));
  }
  for (const auto& member : labelled) {
    auto search = ParseSearch(std::string(member.key()), member.value().as_object());
    if (!search) {
      return std::move(search).error().During("searches." + std::string(member.key()));
    }
    searches.push_back(std::move(*search));
  }
  std::sort(searches.begin(), searches.end(),
            [](const Search& a, const Search& b) { return a.label < b.label; });
  return searches;
}

std::string CleanPath(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return {};
  std::vector<std::string_view> levels;
  for (const std::string_view level : Split(path, '/')) {
    if (level.empty() || level == ".") continue;
    if (level == "..") {
      if (!levels.empty()) levels.pop_back();
    } else {
      levels.push_back(level);
    }
  }
  std::string clean;
  for (const std::string_view level : levels) {
    clean += '/';
    clean += level;
  }
  return clean.empty() ? "/" : clean;
}

}  // namespace mig::file
