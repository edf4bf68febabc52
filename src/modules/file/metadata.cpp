#include "modules/file/metadata.h"

#include <algorithm>
#include <set>

#include "modules/file/capability.h"
#include "modules/file/file_flags.h"
#include "modules/file/metadata_check.h"
#include "modules/file/pattern.h"
#include "modules/mig_text.h"

namespace mig::file {
namespace {

constexpr const char* kCapabilityAttribute = "security.capability";

Answer AnswerOf(const Check& check, bool found) {
  return check.Wanted(found) ? Answer::kYes : Answer::kNo;
}

bool Within(const Check& check, std::uint64_t number) {
  return number >= check.least && number <= check.most;
}

bool ModeMatches(const Check& check, const os::FileStatus& status) {
  switch (check.bit_test) {
    case BitTest::kNone:
      return check.pattern->Matches(ModeText(status));
    case BitTest::kExact:
      return status.mode == check.bits;
    case BitTest::kAll:
      return (status.mode & check.bits) == check.bits;
    case BitTest::kAny:
      return (status.mode & check.bits) != 0;
  }
  return false;
}

// Null where the file system does not tell.
const os::FileTime* TimeFor(CheckKind kind, const os::FileStatus& status) {
  switch (kind) {
    case CheckKind::kMtime:
      return &status.modified;
    case CheckKind::kCtime:
      return &status.changed;
    case CheckKind::kAtime:
      return &status.accessed;
    default:
      return status.born ? &*status.born : nullptr;
  }
}

Answer AgeAnswer(const Check& check, const os::FileStatus& status, UtcTime now) {
  const os::FileTime* time = TimeFor(check.kind, status);
  if (time == nullptr) return Answer::kUnknown;
  const std::chrono::nanoseconds edge = now.time_since_epoch() - check.age;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(edge);
  const os::FileTime then{seconds.count(), static_cast<std::uint32_t>((edge - seconds).count())};
  return AnswerOf(check, check.younger ? *time > then : *time < then);
}

Answer FlagAnswer(const Check& check, const os::FileStatus& status) {
  // Some file systems tell of a flag that is set without saying that they know it.
  if (((status.known_flags | status.flags) & check.bits) == 0) return Answer::kUnknown;
  return AnswerOf(check, (status.flags & check.bits) != 0);
}

json::array ArrayOf(const std::vector<std::string>& texts) {
  json::array list;
  for (const std::string& text : texts) list.push_back(json::FromName(text));
  return list;
}

json::array FlagsOf(const os::FileStatus& status) {
  json::array list;
  for (const FlagName& flag : kFlagNames) {
    if ((status.flags & static_cast<std::uint32_t>(flag.flag)) != 0) list.emplace_back(flag.name);
  }
  return list;
}

void AddAccount(std::string_view name_field, std::string_view number_field, std::uint32_t number,
                const os::Accounts& accounts, json::object& info) {
  const std::string* name = accounts.NameOf(number);
  info[name_field] = name == nullptr ? json::value(nullptr) : json::FromName(*name);
  info[number_field] = number;
}

}  // namespace

Expected<const os::FileStatus*> Metadata::Status() {
  if (!status_) {
    auto status = os::StatusAt(folder_, name_, follow_);
    if (!status) return std::move(status).error();
    status_ = *status;
  }
  return &*status_;
}

Expected<const std::vector<std::string>*> Metadata::AttributeNames() {
  if (!attributes_) {
    auto names = os::AttributeNamesAt(folder_, name_, follow_);
    if (!names) return std::move(names).error();
    attributes_ = std::move(*names);
  }
  return &*attributes_;
}

Expected<const std::vector<std::string>*> Metadata::Capabilities() {
  if (!capabilities_) {
    auto bytes = os::AttributeAt(folder_, name_, follow_, kCapabilityAttribute);
    if (!bytes) return std::move(bytes).error();
    std::vector<std::string> texts;
    if (*bytes) {
      auto decoded = DecodeFileCapabilities(**bytes);
      if (!decoded) return std::move(decoded).error();
      texts = decoded->Texts();
    }
    capabilities_ = std::move(texts);
  }
  return &*capabilities_;
}

Expected<const std::string*> Metadata::LinkTarget() {
  if (!target_) {
    auto target = os::LinkTargetAt(folder_, name_);
    if (!target) return std::move(target).error();
    target_ = std::move(*target);
  }
  return &*target_;
}

Expected<bool> Metadata::HasAttribute(const Check& check) {
  auto names = AttributeNames();
  if (!names) return std::move(names).error();
  for (const std::string& name : **names) {
    if (!check.pattern->Matches(name)) continue;
    if (check.value_pattern == nullptr) return true;
    auto value = os::AttributeAt(folder_, name_, follow_, name);
    if (!value) return std::move(value).error();
    if (*value && check.value_pattern->Matches(**value)) return true;
  }
  return false;
}

Expected<bool> Metadata::HasCapability(const Check& check) {
  auto texts = Capabilities();
  if (!texts) return std::move(texts).error();
  return std::any_of((*texts)->begin(), (*texts)->end(),
                     [&](const std::string& text) { return check.pattern->Matches(text); });
}

Expected<Answer> Metadata::AnswerTo(const Check& check, std::string_view base_name, UtcTime now) {
  if (check.kind == CheckKind::kName) return AnswerOf(check, check.pattern->Matches(base_name));
  if (check.kind == CheckKind::kXattr || check.kind == CheckKind::kCapability) {
    auto found = check.kind == CheckKind::kXattr ? HasAttribute(check) : HasCapability(check);
    if (!found) return std::move(found).error();
    return AnswerOf(check, *found);
  }
  auto asked = Status();
  if (!asked) return std::move(asked).error();
  const os::FileStatus& status = **asked;
  if (check.kind != CheckKind::kLinkTarget) return AnswerFrom(status, check, now);
  // With or without `!` it speaks of links.
  if (status.type != os::FileType::kSymlink) return check.mismatch ? Answer::kYes : Answer::kNo;
  auto target = LinkTarget();
  if (!target) return std::move(target).error();
  return AnswerOf(check, check.pattern->Matches(**target));
}

Answer AnswerFrom(const os::FileStatus& status, const Check& check, UtcTime now) {
  switch (check.kind) {
    case CheckKind::kMode:
      return AnswerOf(check, ModeMatches(check, status));
    case CheckKind::kSize:
      return AnswerOf(check, Within(check, status.size));
    case CheckKind::kLinks:
      return AnswerOf(check, Within(check, status.links));
    case CheckKind::kInode:
      return AnswerOf(check, Within(check, status.inode));
    case CheckKind::kOwner:
      return AnswerOf(check, Within(check, status.owner));
    case CheckKind::kGroup:
      return AnswerOf(check, Within(check, status.group));
    case CheckKind::kType:
      return AnswerOf(check, (TypeBit(status.type) & check.bits) != 0);
    case CheckKind::kFlag:
      return FlagAnswer(check, status);
    default:
      return AgeAnswer(check, status, now);
  }
}

std::vector<CheckKind> KindsOf(const Search& search) {
  std::vector<CheckKind> kinds;
  for (const Check& check : search.checks) {  // those of one kind stand together
    if (kinds.empty() || kinds.back() != check.kind) kinds.push_back(check.kind);
  }
  return kinds;
}

json::object Metadata::Extra(const Search& search, const Names& names) {
  json::object info;
  auto status = Status();
  if (!status) return info;
  for (const CheckKind kind : KindsOf(search)) AddExtra(kind, **status, names, info);
  return info;
}

void Metadata::AddExtra(CheckKind kind, const os::FileStatus& status, const Names& names,
                        json::object& info) {
  switch (kind) {
    case CheckKind::kType:
      info["type"] = std::string(1, TypeLetter(status.type));
      break;
    case CheckKind::kCtime:
      info["ctime"] = TimeText(status.changed.seconds, status.changed.nanoseconds);
      break;
    case CheckKind::kAtime:
      info["atime"] = TimeText(status.accessed.seconds, status.accessed.nanoseconds);
      break;
    case CheckKind::kBtime:
      if (status.born) info["btime"] = TimeText(status.born->seconds, status.born->nanoseconds);
      break;
    case CheckKind::kOwner:
      AddAccount("owner", "uid", status.owner, names.users, info);
      break;
    case CheckKind::kGroup:
      AddAccount("group", "gid", status.group, names.groups, info);
      break;
    case CheckKind::kInode:
      info["inode"] = json::FromUint(status.inode);
      break;
    case CheckKind::kLinks:
      info["links"] = json::FromUint(status.links);
      break;
    case CheckKind::kFlag:
      info["flags"] = FlagsOf(status);
      break;
    case CheckKind::kLinkTarget:
      if (status.type == os::FileType::kSymlink) {
        if (auto target = LinkTarget()) info["linktarget"] = json::FromName(**target);
      }
      break;
    case CheckKind::kXattr:  // names only: an answer, not data
      if (auto attributes = AttributeNames()) info["xattrs"] = ArrayOf(**attributes);
      break;
    case CheckKind::kCapability:
      if (auto texts = Capabilities()) info["capabilities"] = ArrayOf(**texts);
      break;
    default:  // stands in every fileinfo
      break;
  }
}

std::string_view UnsupportedReason(CheckKind kind) {
  return kind == CheckKind::kBtime ? "nobirthtime" : "noflags";
}

namespace {

// Both files, each read when it is wanted.
struct AccountFiles {
  std::optional<Expected<os::Accounts>> users, groups;

  const Expected<os::Accounts>& For(CheckKind kind) {
    auto& accounts = kind == CheckKind::kOwner ? users : groups;
    if (!accounts) accounts = os::ReadAccounts(FileFor(kind));
    return *accounts;
  }
  static const char* FileFor(CheckKind kind) {
    return kind == CheckKind::kOwner ? os::kUsersFile : os::kGroupsFile;
  }
};

Expected<void> Resolve(Check& check, AccountFiles& files) {
  if (check.kind != CheckKind::kOwner && check.kind != CheckKind::kGroup) return {};
  const Expected<os::Accounts>& accounts = files.For(check.kind);
  if (!check.by_name) return {};
  const std::string what = check.field + ": `" + check.value + "` ";
  if (!accounts) {
    return Error(Errc::kDenied, what + "cannot be looked up (" + accounts.error().message() +
                                    "); give its number");
  }
  const auto number =
      accounts.value().NumberOf(std::string_view(check.value).substr(check.inverted ? 1 : 0));
  if (!number) {
    return Error(Errc::kNotFound, what + "is not in " + AccountFiles::FileFor(check.kind) +
                                      " of this machine; give its number");
  }
  check.least = check.most = *number;
  return {};
}

}  // namespace

std::vector<Unanswerable> ResolveNames(std::vector<Search>& searches, Names& names) {
  std::vector<Unanswerable> unanswerable;
  AccountFiles files;
  std::vector<Search> answerable;
  for (Search& search : searches) {
    Expected<void> resolved = {};
    for (Check& check : search.checks) {
      if (resolved) resolved = Resolve(check, files);
    }
    if (resolved) {
      answerable.push_back(std::move(search));
    } else {
      unanswerable.push_back({search.label, resolved.error().message()});
    }
  }
  searches = std::move(answerable);
  if (files.users && *files.users) names.users = std::move(files.users->value());
  if (files.groups && *files.groups) names.groups = std::move(files.groups->value());
  return unanswerable;
}

}  // namespace mig::file
