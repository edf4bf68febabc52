// The file module: files by name, content, metadata and digest. This file declares it and
// prints its answers; the searches are file/search.h, the walk is file/run.h.
#include <algorithm>

#include "modules/file/member_in_hand.h"
#include "modules/file/run.h"
#include "modules/file/search.h"
#include "modules/module.h"

namespace mig {
namespace {

constexpr std::string_view kMismatchWords[] = {
    "name",    "size",  "mode",  "mtime", "ctime", "atime",  "btime", "owner",
    "group",   "inode", "links", "flag",  "type",  "linkto", "xattr", "capability",
    "content", "bytes", "md5",   "sha1",  "sha2",  "sha3",
};

// DigestName of each kind.
constexpr std::string_view kDigestNames[] = {
    "md5", "sha1", "sha256", "sha384", "sha512", "sha3-224", "sha3-256", "sha3-384", "sha3-512",
};

constexpr Parameter kParameters[] = {
    {.flag = "path",
     .field = "paths",
     .type = ParameterType::kNames,
     .help = "Where to look: a directory with all below it, or one file. No wildcards.",
     .value_name = "PATH",
     .required = true},
    {.flag = "name",
     .field = "names",
     .type = ParameterType::kTexts,
     .help = "Base name; a leading ! inverts.",
     .value_name = "REGEX"},
    {.flag = "exclude",
     .field = "excludes",
     .type = ParameterType::kNames,
     .help = "Leave out this file, or this directory with all below it. An absolute path.",
     .value_name = "PATH"},
    {.flag = "excludefs",
     .field = "excludefs",
     .type = ParameterType::kTexts,
     .help = "Leave out file systems of this type that are mounted below the paths: nfs4, tmpfs; "
             "fuse stands for fuse.sshfs too.",
     .value_name = "TYPE"},
    {.flag = "content",
     .field = "contents",
     .type = ParameterType::kTexts,
     .help = "Some line matches; with a leading ! none does.",
     .value_name = "REGEX"},
    {.flag = "bytes",
     .field = "bytes",
     .type = ParameterType::kTexts,
     .help = "These bytes stand somewhere, in hexadecimal: 7f454c46, 'de ad ?? e? [2-8] ef'; ? is "
             "any digit, [2-8] two to eight bytes; with a leading ! they stand nowhere.",
     .value_name = "HEX"},
    {.flag = "type",
     .field = "types",
     .type = ParameterType::kTexts,
     .help =
         "f file, d directory, l link, p fifo, s socket, b or c device; one of several as f,l; a "
         "leading ! inverts. With it every entry is looked at as itself.",
     .value_name = "LETTERS"},
    {.flag = "linkto",
     .field = "linktargets",
     .type = ParameterType::kTexts,
     .help = "A symbolic link whose target, as it is written, matches; with a leading ! one whose "
             "target does not. With it every entry is looked at as itself.",
     .value_name = "REGEX"},
    {.flag = "size",
     .field = "sizes",
     .type = ParameterType::kTexts,
     .help = "Bytes: <10k, >2g, 512; units k m g t.",
     .value_name = "SIZE"},
    {.flag = "mode",
     .field = "modes",
     .type = ParameterType::kTexts,
     .help = "Mode as in -rw-r--r-- or urwxr-xr-x (setuid), or octal: 4755, -4000 (all of these "
             "bits), /6000 (one of them); a leading ! inverts.",
     .value_name = "MODE"},
    {.flag = "mtime",
     .field = "mtimes",
     .type = ParameterType::kTexts,
     .help = "Changed less (<) or more (>) than this ago: <90d, >12h, <30m.",
     .value_name = "AGE"},
    {.flag = "ctime",
     .field = "ctimes",
     .type = ParameterType::kTexts,
     .help = "As -mtime, of the last change of owner, mode, links or content.",
     .value_name = "AGE"},
    {.flag = "atime",
     .field = "atimes",
     .type = ParameterType::kTexts,
     .help = "As -mtime, of the last access that the system has kept.",
     .value_name = "AGE"},
    {.flag = "btime",
     .field = "btimes",
     .type = ParameterType::kTexts,
     .help = "As -mtime, of the file's birth, where the file system tells.",
     .value_name = "AGE"},
    {.flag = "owner",
     .field = "owners",
     .type = ParameterType::kTexts,
     .help = "Its user, a name of /etc/passwd or a number; a leading ! inverts.",
     .value_name = "USER"},
    {.flag = "group",
     .field = "groups",
     .type = ParameterType::kTexts,
     .help = "Its group, a name of /etc/group or a number; a leading ! inverts.",
     .value_name = "GROUP"},
    {.flag = "inode",
     .field = "inodes",
     .type = ParameterType::kTexts,
     .help = "The number of its inode.",
     .value_name = "N"},
    {.flag = "links",
     .field = "links",
     .type = ParameterType::kTexts,
     .help = "Hard links: >2, <10, 1.",
     .value_name = "N"},
    {.flag = "flag",
     .field = "flags",
     .type = ParameterType::kTexts,
     .help = "immutable, append, nodump, compressed, encrypted or verity, as lsattr shows them; a "
             "leading ! inverts.",
     .value_name = "WORD"},
    {.flag = "xattr",
     .field = "xattrs",
     .type = ParameterType::kTexts,
     .help =
         "Some extended attribute's name matches, and its value if there is one here; a leading "
         "! inverts.",
     .value_name = "REGEX[=REGEX]"},
    {.flag = "capability",
     .field = "capabilities",
     .type = ParameterType::kTexts,
     .help = "Some capability that the file gives matches, as in cap_net_raw=ep; a leading ! "
             "inverts.",
     .value_name = "REGEX"},
    {.flag = "md5",
     .field = "md5",
     .type = ParameterType::kTexts,
     .help = "MD5 of the content.",
     .value_name = "HEX"},
    {.flag = "sha1",
     .field = "sha1",
     .type = ParameterType::kTexts,
     .help = "SHA-1 of the content.",
     .value_name = "HEX"},
    {.flag = "sha2",
     .field = "sha2",
     .type = ParameterType::kTexts,
     .help = "SHA-256, SHA-384 or SHA-512, by length.",
     .value_name = "HEX"},
    {.flag = "sha3",
     .field = "sha3",
     .type = ParameterType::kTexts,
     .help = "SHA3-224, -256, -384 or -512, by length.",
     .value_name = "HEX"},
    {.field = "description", .help = "What this search is for; comes back with its results."},
    {.flag = "matchall",
     .field = "options.matchall",
     .type = ParameterType::kFlag,
     .help = "All checks must say yes.",
     .absent = "false",
     .typed = "true"},
    {.flag = "matchany",
     .field = "options.matchall",
     .type = ParameterType::kFlag,
     .help = "One check suffices; each that says yes is reported.",
     .absent = "false",
     .flag_means = false},
    {.flag = "macroal",
     .field = "options.macroal",
     .type = ParameterType::kFlag,
     .help = "Every line must match each content (\"match all contents regexes on all lines\").",
     .absent = "false"},
    {.flag = "mismatch",
     .field = "options.mismatch",
     .type = ParameterType::kTexts,
     .help = "Turn the answer of these checks around.",
     .value_name = "CHECK",
     .choices = kMismatchWords},
    {.flag = "maxdepth",
     .field = "options.maxdepth",
     .type = ParameterType::kInteger,
     .help = "Directory levels; 1 is only the path itself, 0 no limit.",
     .value_name = "N",
     .max = 1'000'000,
     .absent = "0",
     .typed = "1000"},
    {.flag = "matchlimit",
     .field = "options.matchlimit",
     .type = ParameterType::kInteger,
     .help = "Stop this search after so many finds; 0 no limit.",
     .value_name = "N",
     .max = 1'000'000'000,
     .absent = "0",
     .typed = "1000"},
    {.flag = "maxerrors",
     .field = "options.maxerrors",
     .type = ParameterType::kInteger,
     .help = "Return so many errors in words; 0 all (the statistics count them in any case).",
     .value_name = "N",
     .max = 10'000,
     .absent = "0",
     .typed = "30"},
    {.flag = "returnsha256",
     .field = "options.returnsha256",
     .type = ParameterType::kFlag,
     .help = "Return the SHA-256 of each file found.",
     .absent = "false"},
    {.flag = "returndigests",
     .field = "options.returndigests",
     .type = ParameterType::kTexts,
     .help = "Return this digest of each file found; repeat it for several.",
     .value_name = "DIGEST",
     .choices = kDigestNames},
    {.flag = "decompress",
     .field = "options.decompress",
     .type = ParameterType::kFlag,
     .help = "Look inside files of gzip, zstd, xz, lzma and bzip2: contents, bytes and digests are "
             "of what is packed.",
     .absent = "false"},
    {.flag = "archives",
     .field = "options.archives",
     .type = ParameterType::kFlag,
     .help = "Look at what tar (also packed) and zip files hold too, each member as a file of its "
             "own.",
     .absent = "false"},
    {.flag = "remotefs",
     .field = "options.remotefs",
     .type = ParameterType::kFlag,
     .help = "Look into NFS, SMB, FUSE and the like below the paths too.",
     .absent = "false"},
    {.flag = "pseudofs",
     .field = "options.pseudofs",
     .type = ParameterType::kFlag,
     .help = "Look into proc, sysfs and the like below the paths too.",
     .absent = "false"},
    {.flag = "onefs",
     .field = "options.onefs",
     .type = ParameterType::kFlag,
     .help = "Look into nothing that is mounted below the paths.",
     .absent = "false"},
    {.flag = "deleted",
     .field = "options.deleted",
     .type = ParameterType::kFlag,
     .help = "Look at files that lay below the paths and that processes hold open without a name, "
             "instead of those that are there.",
     .absent = "false"},
};

const json::object* ObjectAt(const json::object& fields, std::string_view key) {
  const json::value* value = fields.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

// Some search asks for what processes hold open.
bool NeedsProcesses(const json::object& parameters) {
  const json::object* searches = ObjectAt(parameters, "searches");
  if (searches == nullptr) return false;
  for (const auto& member : *searches) {
    const json::object* search = member.value().if_object();
    const json::object* options = search == nullptr ? nullptr : ObjectAt(*search, "options");
    const json::value* deleted = options == nullptr ? nullptr : options->if_contains("deleted");
    if (deleted != nullptr && deleted->is_bool() && deleted->get_bool()) return true;
  }
  return false;
}

Expected<void> CheckFile(const json::object& parameters) {
  auto searches = file::ParseSearches(parameters);
  if (!searches) return std::move(searches).error();
  return {};
}

Expected<ModuleResult> RunFile(const json::object& parameters, RunContext& context) {
  auto searches = file::ParseSearches(parameters);
  if (!searches) return std::move(searches).error();
  return file::RunSearches(std::move(*searches), context.sink, context.now,
                           {context.threads, context.read_rate});
}

// What endpoints sent is not to be relied on: anything may be missing or of another type.
std::string TextAt(const json::object& fields, std::string_view key) {
  const json::value* value = fields.if_contains(key);
  if (value == nullptr || value->is_null()) return {};
  if (auto name = json::ToName(*value)) return *name;
  return json::Write(*value);
}

// " on checks name='x'" of a matchany element; nothing for matchall.
std::string ChecksOf(const json::object& search) {
  const json::object* options = ObjectAt(search, "options");
  const json::value* matchall = options == nullptr ? nullptr : options->if_contains("matchall");
  if (matchall != nullptr && matchall->is_bool() && matchall->get_bool()) return {};
  struct Name {
    std::string_view field, word;
  };
  constexpr Name kNames[] = {{"names", "name"},
                             {"types", "type"},
                             {"linktargets", "linkto"},
                             {"sizes", "size"},
                             {"modes", "mode"},
                             {"mtimes", "mtime"},
                             {"ctimes", "ctime"},
                             {"atimes", "atime"},
                             {"btimes", "btime"},
                             {"owners", "owner"},
                             {"groups", "group"},
                             {"inodes", "inode"},
                             {"links", "links"},
                             {"flags", "flag"},
                             {"xattrs", "xattr"},
                             {"capabilities", "capability"},
                             {"contents", "content"},
                             {"bytes", "bytes"},
                             {"md5", "md5"},
                             {"sha1", "sha1"},
                             {"sha2", "sha2"},
                             {"sha3", "sha3"}};
  std::string text;
  for (const Name& name : kNames) {
    const json::value* values = search.if_contains(name.field);
    if (values == nullptr || !values->is_array()) continue;
    for (const json::value& value : values->get_array()) {
      text += " " + std::string(name.word) + "='" +
              (value.is_string() ? std::string(value.get_string()) : json::Write(value)) + "'";
    }
  }
  return " on checks" + text;
}

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// ", owner:root" for what MIG's `fileinfo` does not have.
std::string ExtraOf(const json::object& info, std::string_view field) {
  for (const std::string_view known : {"lastmodified", "mode", "size", "member"}) {
    if (field == known) return {};
  }
  if (std::find(std::begin(kDigestNames), std::end(kDigestNames), field) !=
      std::end(kDigestNames)) {
    return {};
  }
  const json::value& value = info.at(field);
  std::string text;
  if (const json::array* list = value.if_array()) {
    for (const json::value& item : *list) {
      const auto name = json::ToName(item);
      text += (text.empty() ? "" : " ") + (name ? *name : json::Write(item));
    }
  } else {
    text = TextAt(info, field);
  }
  return ", " + std::string(field) + ":" + text;
}

std::vector<std::string> PrintFile(const json::value& elements, bool found_only) {
  std::vector<std::string> lines;
  const json::object* labels = elements.if_object();
  if (labels == nullptr) return lines;
  for (const auto& member : *labels) {
    if (!member.value().is_array()) continue;
    const std::string in = " in search '" + std::string(member.key()) + "'";
    for (const json::value& item : member.value().get_array()) {
      const json::object* element = item.if_object();
      if (element == nullptr) continue;
      const json::object* search = ObjectAt(*element, "search");
      const std::string checks = search == nullptr ? "" : ChecksOf(*search);
      const std::string path = TextAt(*element, "file");
      if (path.empty()) {
        if (!found_only) lines.push_back("0 match found" + in + checks);
        continue;
      }
      std::string line = path;
      if (const json::object* info = ObjectAt(*element, "fileinfo")) {
        const std::string inside = TextAt(*info, "member");
        if (!inside.empty()) line = file::MemberPath(path, inside);
        line += " [lastmodified:" + TextAt(*info, "lastmodified") +
                ", mode:" + TextAt(*info, "mode") + ", size:" + TextAt(*info, "size");
        for (const std::string_view name : kDigestNames) {
          if (!info->contains(name)) continue;
          line += ", " + std::string(name) + ":" + LowerCase(TextAt(*info, name));
        }
        for (const auto& field : *info) line += ExtraOf(*info, field.key());
        line += "]";
      }
      lines.push_back(line + in + checks);
    }
  }
  return lines;
}

// What a search has not seen of its scope.
std::string CoverageOf(std::string_view label, const json::object& seen, bool limited) {
  const auto number = [&](const char* field) {
    const json::value* value = seen.if_contains(field);
    auto read = value == nullptr ? Expected<std::uint64_t>(0) : json::ToUint(*value);
    return read ? *read : 0;
  };
  const std::uint64_t missed = number("missed");
  std::string line = "Incomplete: search '" + std::string(label) + "'";
  if (missed > 0) {
    line += " could not look at " + std::to_string(missed) + " of " +
            std::to_string(missed + number("lookedat")) + " entries that it came by";
  }
  if (limited)
    line += missed > 0 ? ", and stopped at its matchlimit" : " stopped at its matchlimit";
  if (missed == 0 && !limited) line += " ended before its scope did";
  return line + ".";
}

void PrintCoverage(const json::object& statistics, std::vector<std::string>& lines) {
  const json::object* coverage = ObjectAt(statistics, "coverage");
  if (coverage == nullptr) return;
  const json::value* limited = statistics.if_contains("matchlimitreached");
  for (const auto& member : *coverage) {
    const json::object* seen = member.value().if_object();
    const json::value* complete = seen == nullptr ? nullptr : seen->if_contains("complete");
    if (complete == nullptr || !complete->is_bool() || complete->get_bool()) continue;
    bool at_limit = false;
    if (limited != nullptr && limited->is_array()) {
      for (const json::value& label : limited->get_array()) {
        at_limit = at_limit || (label.is_string() && label.get_string() == member.key());
      }
    }
    lines.push_back(CoverageOf(member.key(), *seen, at_limit));
  }
  const json::value* all = statistics.if_contains("complete");
  if (all != nullptr && all->is_bool() && all->get_bool()) {
    lines.emplace_back("Complete: all that the searches cover was looked at.");
  }
}

// ", 12 members" where archives were looked into.
std::string MembersOf(const json::object& fields) {
  const std::string count = TextAt(fields, "members");
  return count.empty() || count == "0" ? "" : ", " + count + " members";
}

std::vector<std::string> PrintFileStatistics(const json::value& statistics) {
  std::vector<std::string> lines;
  const json::object* fields = statistics.if_object();
  if (fields == nullptr) return lines;
  lines.push_back("Statistics: " + TextAt(*fields, "filescount") + " files checked, " +
                  TextAt(*fields, "openfailed") + " failed to open, " +
                  TextAt(*fields, "totalhits") + " matched, ran in " + TextAt(*fields, "exectime") +
                  ".");
  lines.push_back("Walked: " + TextAt(*fields, "directories") + " directories, " +
                  TextAt(*fields, "filescount") + " files, " + TextAt(*fields, "others") +
                  " others" + MembersOf(*fields) + "; " + TextAt(*fields, "bytesread") +
                  " bytes read, " + TextAt(*fields, "byteshashed") + " hashed.");
  if (const json::object* skipped = ObjectAt(*fields, "skipped")) {
    for (const auto& member : *skipped) {
      const json::object* reason = member.value().if_object();
      if (reason == nullptr) continue;
      std::string line = "Skipped: " + TextAt(*reason, "count") + " " + std::string(member.key());
      const json::value* examples = reason->if_contains("examples");
      if (examples != nullptr && examples->is_array() && !examples->get_array().empty()) {
        auto first = json::ToName(examples->get_array().front());
        if (first) line += ", for example " + *first;
      }
      lines.push_back(std::move(line));
    }
  }
  if (const json::value* followed = fields->if_contains("followed");
      followed != nullptr && followed->is_array()) {
    for (const json::value& item : followed->get_array()) {
      if (const json::object* link = item.if_object()) {
        lines.push_back("Followed: " + TextAt(*link, "path") + " is a link to " +
                        TextAt(*link, "to"));
      }
    }
  }
  PrintCoverage(*fields, lines);
  return lines;
}

// Where a file lies may name a person, and so does its owner; what kind of file it is does not. A
// matchany element's paths would give its directory away.
void MaskElementOfFile(json::value& element) {
  json::object* fields = element.if_object();
  if (fields == nullptr) return;
  if (!TextAt(*fields, "file").empty()) (*fields)["file"] = "masked";
  json::value* info = fields->if_contains("fileinfo");
  if (info != nullptr && info->is_object()) {
    for (const char* field : {"linktarget", "executable", "member", "owner", "group"}) {
      if (info->get_object().contains(field)) info->get_object()[field] = "masked";
    }
  }
  json::value* search = fields->if_contains("search");
  if (search != nullptr && search->is_object()) {
    json::object& asked = search->get_object();
    for (const char* field : {"paths", "excludes"}) {
      if (asked.contains(field)) asked[field] = json::array{"masked"};
    }
  }
}

void MaskSummaryOfFile(ModuleResult& summary) {
  if (summary.elements.is_object()) {
    for (auto& member : summary.elements.get_object()) {
      if (!member.value().is_array()) continue;
      for (json::value& element : member.value().get_array()) MaskElementOfFile(element);
    }
  }
  if (!summary.statistics.is_object()) return;
  json::object& statistics = summary.statistics.get_object();
  statistics["followed"] = json::array{};
  json::value* skipped = statistics.if_contains("skipped");
  if (skipped == nullptr || !skipped->is_object()) return;
  for (auto& member : skipped->get_object()) {
    if (member.value().is_object()) member.value().get_object()["examples"] = json::array{};
  }
}

}  // namespace

extern const Module kFileModule;
constinit const Module kFileModule = {
    .name = "file",
    .version = 2,
    .summary = "finds files by name, content, metadata and digest",
    .example = "-path /etc -name '^passwd$' -content '^root:'",
    .parameters = kParameters,
    .layout = Layout::kSearches,
    .platforms = os::Platform::kLinux,
    .rights = os::Right::kReadFiles,
    .more_rights = os::Right::kReadProcesses,
    .needs_more = NeedsProcesses,
    .privacy = "paths of files and of directories, and names of owners",
    .check = CheckFile,
    .run = RunFile,
    .print = PrintFile,
    .print_statistics = PrintFileStatistics,
    .mask_element = MaskElementOfFile,
    .mask_summary = MaskSummaryOfFile,
};

}  // namespace mig
