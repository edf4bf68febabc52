#include "modules/file/contradiction.h"

#include "modules/file/metadata_check.h"

namespace mig::file {
namespace {

// Both bounds on one number.
bool OutOfBounds(const Check& a, const Check& b) { return a.least > b.most; }

bool OwnersExclude(const Check& a, const Check& b) {
  if (a.inverted || b.inverted || a.by_name != b.by_name) return false;
  return a.by_name ? a.value != b.value : a.least != b.least;
}

bool BitsExclude(const Check& a, const Check& b) {
  if (a.inverted || b.inverted || a.bit_test != BitTest::kExact) return false;
  switch (b.bit_test) {
    case BitTest::kExact:
      return a.bits != b.bits;
    case BitTest::kAll:
      return (a.bits & b.bits) != b.bits;
    case BitTest::kAny:
      return (a.bits & b.bits) == 0;
    case BitTest::kNone:
      return false;
  }
  return false;
}

// What is left of all types. (A set of bits, those of Check::bits.)
std::uint32_t TypesOf(const Check& check) { return check.inverted ? ~check.bits : check.bits; }

bool AgesExclude(const Check& a, const Check& b) {
  return a.younger && !b.younger && a.age <= b.age;
}

// Requires: the same kind, without mismatch.
bool Excludes(const Check& a, const Check& b) {
  // A regex or word, and the same one inverted.
  if (b.inverted && !a.inverted && b.value == "!" + a.value) return true;
  switch (a.kind) {
    case CheckKind::kDigest:
      return a.digest == b.digest && a.expected != b.expected;
    case CheckKind::kSize:
    case CheckKind::kLinks:
    case CheckKind::kInode:
      return OutOfBounds(a, b);
    case CheckKind::kMtime:
    case CheckKind::kCtime:
    case CheckKind::kAtime:
    case CheckKind::kBtime:
      return AgesExclude(a, b);
    case CheckKind::kOwner:
    case CheckKind::kGroup:
      return OwnersExclude(a, b);
    case CheckKind::kMode:
      return BitsExclude(a, b);
    case CheckKind::kType:
      return ((TypesOf(a) & TypesOf(b)) & ((TypeBit(os::FileType::kCharDevice) << 1) - 1)) == 0;
    default:
      return false;
  }
}

// Of a kind that only one type of file has.
bool NeedsType(const Check& check, os::FileType* type) {
  if (check.mismatch) return false;
  switch (check.kind) {
    case CheckKind::kContent:
    case CheckKind::kBytes:
    case CheckKind::kDigest:
      *type = os::FileType::kRegular;
      return true;
    case CheckKind::kLinkTarget:
      *type = os::FileType::kSymlink;
      return true;
    default:
      return false;
  }
}

Error NoFileIsBoth(const Check& a, const Check& b) {
  const std::string where = a.field == b.field ? a.field : a.field + " and " + b.field;
  return Error(Errc::kInvalid, where + ": no file is both `" + a.value + "` and `" + b.value +
                                   "`; with matchany either would do");
}

}  // namespace

Expected<void> CheckScope(const Search& search) {
  for (const std::string& excluded : search.excludes) {
    for (const std::string& path : search.paths) {
      if (!IsBeneath(path, excluded)) continue;
      return Error(Errc::kInvalid,
                   "excludes: `" + excluded + "` leaves nothing of the path `" + path + "`");
    }
  }
  for (const std::string& type : search.excludefs) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    if (type.empty() || type.find_first_not_of(kLetters) != type.npos) {
      return Error(Errc::kInvalid,
                   "excludefs: `" + type + "` is not the name of a file system like nfs4 or tmpfs");
    }
  }
  if (search.deleted &&
      (search.onefs || search.remotefs || search.pseudofs || !search.excludefs.empty())) {
    return Error(Errc::kInvalid,
                 "options.deleted: what processes hold open is looked at, no file system: onefs, "
                 "remotefs, pseudofs and excludefs have no effect");
  }
  if (search.onefs && (search.remotefs || search.pseudofs || !search.excludefs.empty())) {
    return Error(Errc::kInvalid,
                 "options.onefs: nothing that is mounted below the paths is looked into, so " +
                     std::string(search.remotefs   ? "remotefs"
                                 : search.pseudofs ? "pseudofs"
                                                   : "excludefs") +
                     " has no effect");
  }
  return {};
}

Expected<void> CheckNotContradictory(const Search& search) {
  for (const Check& a : search.checks) {
    if (search.deleted && !a.mismatch && a.kind == CheckKind::kLinkTarget) {
      return Error(Errc::kInvalid, "linktargets: with options.deleted there are no links");
    }
    os::FileType type{};
    const bool needs_type = NeedsType(a, &type);
    for (const Check& b : search.checks) {
      if (&a == &b || b.mismatch) continue;
      os::FileType other{};
      if (a.kind == b.kind && Excludes(a, b)) return NoFileIsBoth(a, b);
      if (!needs_type) continue;
      if (b.kind == CheckKind::kType && (TypesOf(b) & TypeBit(type)) == 0) {
        return NoFileIsBoth(a, b);
      }
      if (NeedsType(b, &other) && other != type) return NoFileIsBoth(a, b);
    }
  }
  return {};
}

}  // namespace mig::file
