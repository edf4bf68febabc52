#include "modules/file/search.h"

#include <algorithm>
#include <array>

#include "modules/file/byte_sequence.h"
#include "modules/file/contradiction.h"
#include "modules/file/metadata_check.h"
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
    Field{"names", "name", CheckKind::kName},
    Field{"types", "type", CheckKind::kType},
    Field{"modes", "mode", CheckKind::kMode},
    Field{"sizes", "size", CheckKind::kSize},
    Field{"mtimes", "mtime", CheckKind::kMtime},
    Field{"ctimes", "ctime", CheckKind::kCtime},
    Field{"atimes", "atime", CheckKind::kAtime},
    Field{"btimes", "btime", CheckKind::kBtime},
    Field{"owners", "owner", CheckKind::kOwner},
    Field{"groups", "group", CheckKind::kGroup},
    Field{"inodes", "inode", CheckKind::kInode},
    Field{"links", "links", CheckKind::kLinks},
    Field{"flags", "flag", CheckKind::kFlag},
    Field{"linktargets", "linkto", CheckKind::kLinkTarget},
    Field{"xattrs", "xattr", CheckKind::kXattr},
    Field{"capabilities", "capability", CheckKind::kCapability},
    Field{"contents", "content", CheckKind::kContent},
    Field{"bytes", "bytes", CheckKind::kBytes},
    Field{"md5", "md5", CheckKind::kDigest},
    Field{"sha1", "sha1", CheckKind::kDigest},
    Field{"sha2", "sha2", CheckKind::kDigest},
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
  if (field.kind == CheckKind::kContent) {
    if (auto ok = ParseRegex(check); !ok) return std::move(ok).error();
  } else if (field.kind == CheckKind::kBytes) {
    std::string_view digits = check.value;
    check.inverted = digits.starts_with('!');
    if (check.inverted) digits.remove_prefix(1);
    auto sequence = ByteSequence::Parse(digits);
    if (!sequence) return std::move(sequence).error();
    check.sequence = std::move(*sequence);
  } else if (field.kind == CheckKind::kDigest) {
    if (auto ok = ParseDigest(field.name, check.value, &check); !ok) return std::move(ok).error();
  } else {
    if (auto ok = ParseMetadataCheck(check); !ok) return std::move(ok).error();
  }
  return check;
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
json::object RepeatedForm(const json::object& fields, const json::object& given_options,
                          const Search& search) {
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
  if (const json::value* mismatch = FieldOf(given_options, "mismatch")) {
    options["mismatch"] = *mismatch;
  }
  if (FlagIn(given_options, "returnsha256")) options["returnsha256"] = true;
  if (const json::value* digests = FieldOf(given_options, "returndigests")) {
    options["returndigests"] = *digests;
  }
  if (search.decompress) options["decompress"] = true;
  if (search.archives) options["archives"] = true;
  if (search.remotefs) options["remotefs"] = true;
  if (search.pseudofs) options["pseudofs"] = true;
  if (search.onefs) options["onefs"] = true;
  if (search.deleted) options["deleted"] = true;
  asked["options"] = std::move(options);
  if (json::Write(asked).size() > kMaxRepeatedBytes) Abridge(asked);
  return asked;
}

// Only what the declaration of the parameters cannot say.
Expected<void> CheckWhole(const Search& search, const std::vector<std::string>& mismatch) {
  if (search.checks.empty()) {
    return Error(Errc::kInvalid,
                 "asks for nothing: add a name, content, size, mode, owner, digest or the like");
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

Expected<void> ReadPaths(const json::object& fields, std::string_view name,
                         std::vector<std::string>& paths) {
  const json::value* given = FieldOf(fields, name);
  if (given == nullptr) return {};
  for (const json::value& item : given->as_array()) {
    auto path = json::ToName(item);
    if (!path) return std::move(path).error().During(name);
    std::string clean = CleanPath(*path);
    if (clean.empty()) {
      return Error(Errc::kInvalid, std::string(name) + ": `" + *path +
                                       "` is not absolute (it has to begin with /)");
    }
    paths.push_back(std::move(clean));
  }
  return {};
}

// The declaration has checked the names.
std::vector<DigestKind> ReturnedDigests(const json::object& options) {
  std::set<DigestKind> kinds;
  if (FlagIn(options, "returnsha256")) kinds.insert(DigestKind::kSha256);
  for (const std::string& name : Texts(options, "returndigests")) {
    if (const auto kind = DigestByName(name)) kinds.insert(*kind);
  }
  return {kinds.begin(), kinds.end()};
}

Expected<Search> ParseSearch(std::string label, const json::object& fields) {
  Search search;
  search.label = std::move(label);
  const json::object no_options;
  const json::value* given = FieldOf(fields, "options");
  const json::object& options = given == nullptr ? no_options : given->as_object();
  search.matchall = FlagIn(options, "matchall");
  search.macroal = FlagIn(options, "macroal");
  search.returned = ReturnedDigests(options);
  search.decompress = FlagIn(options, "decompress");
  search.archives = FlagIn(options, "archives");
  search.remotefs = FlagIn(options, "remotefs");
  search.pseudofs = FlagIn(options, "pseudofs");
  search.onefs = FlagIn(options, "onefs");
  search.deleted = FlagIn(options, "deleted");
  search.maxdepth = NumberIn(options, "maxdepth");
  search.matchlimit = NumberIn(options, "matchlimit");
  search.maxerrors = NumberIn(options, "maxerrors");
  const std::vector<std::string> mismatch = Texts(options, "mismatch");

  if (auto ok = ReadPaths(fields, "paths", search.paths); !ok) return std::move(ok).error();
  if (search.paths.empty()) return Error(Errc::kInvalid, "paths: name at least one");
  if (auto ok = ReadPaths(fields, "excludes", search.excludes); !ok) return std::move(ok).error();
  search.excludefs = Texts(fields, "excludefs");
  if (auto ok = CheckScope(search); !ok) return std::move(ok).error();
  for (const Field& field : kFields) {
    const bool turned =
        std::find(mismatch.begin(), mismatch.end(), field.mismatch) != mismatch.end();
    for (std::string& value : Texts(fields, field.name)) {
      auto check = ParseCheck(field, std::move(value), turned);
      if (!check) return std::move(check).error().During(field.name);
      if (field.kind < CheckKind::kContent) ++search.cheap;
      search.entries =
          search.entries || field.kind == CheckKind::kType || field.kind == CheckKind::kLinkTarget;
      search.checks.push_back(std::move(*check));
    }
  }
  if (auto ok = CheckWhole(search, mismatch); !ok) return std::move(ok).error();
  search.repeated = RepeatedForm(fields, options, search);
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

bool IsBeneath(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace mig::file
