#include "modules/file/member_in_hand.h"

#include "modules/file/metadata_check.h"
#include "modules/file/pattern.h"

namespace mig::file {

std::string MemberPath(const std::string& archive, const std::string& member) {
  return archive + (member.starts_with('/') ? "!" : "!/") + member;
}

MemberInHand::MemberInHand(const Subject& archive, const Member& member, Tally& tally)
    : archive_(archive), member_(member), tally_(tally) {
  status_.type = member.type;
  status_.size = member.size;
  status_.mode = member.mode.value_or(0);
  status_.owner = member.owner.value_or(0);
  status_.group = member.group.value_or(0);
  status_.modified = member.modified.value_or(os::FileTime{});
}

std::string_view MemberInHand::NameFor(const Scope&) const {
  std::string_view name = member_.name;
  while (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  return name == "/" ? name : name.substr(name.rfind('/') + 1);
}

std::string MemberInHand::Shown() const { return MemberPath(archive_.Shown(), member_.name); }

// Whether the archive tells what such a check asks.
bool MemberInHand::Says(CheckKind kind) const {
  switch (kind) {
    case CheckKind::kSize:
      return !member_.hard_link;
    case CheckKind::kType:
      return true;
    case CheckKind::kMode:
      return member_.mode.has_value();
    case CheckKind::kMtime:
      return member_.modified.has_value();
    case CheckKind::kOwner:
      return member_.owner.has_value();
    case CheckKind::kGroup:
      return member_.group.has_value();
    default:
      return false;
  }
}

Answer MemberInHand::AnswerTo(const Check& check, std::string_view base_name, UtcTime now) {
  const auto answer = [&](bool found) { return check.Wanted(found) ? Answer::kYes : Answer::kNo; };
  if (check.kind == CheckKind::kName) return answer(check.pattern->Matches(base_name));
  if (check.kind == CheckKind::kLinkTarget) {
    if (member_.type != os::FileType::kSymlink) return check.mismatch ? Answer::kYes : Answer::kNo;
    return answer(check.pattern->Matches(member_.target));
  }
  if (Says(check.kind)) return AnswerFrom(status_, check, now);
  if (!unsupported_) tally_.Skipped("notinarchive", Shown());
  unsupported_ = true;
  return Answer::kUnknown;
}

json::object MemberInHand::Extra(const Search& search, const Names&) {
  json::object info{{"member", json::FromName(member_.name)}};
  if (!member_.mode) info["mode"] = "";
  if (!member_.modified) info["lastmodified"] = "";
  const auto account = [&](std::string_view name_field, std::string_view number_field,
                           const std::optional<std::uint32_t>& number, const std::string& name) {
    if (!name.empty()) info[name_field] = json::FromName(name);
    if (number) info[number_field] = *number;
  };
  for (const CheckKind kind : KindsOf(search)) {
    if (kind == CheckKind::kOwner) account("owner", "uid", member_.owner, member_.owner_name);
    if (kind == CheckKind::kGroup) account("group", "gid", member_.group, member_.group_name);
    if (kind == CheckKind::kType) info["type"] = std::string(1, TypeLetter(member_.type));
    if (kind == CheckKind::kLinkTarget && member_.type == os::FileType::kSymlink) {
      info["linktarget"] = json::FromName(member_.target);
    }
  }
  return info;
}

}  // namespace mig::file
