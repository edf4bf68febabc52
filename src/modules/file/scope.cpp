#include "modules/file/scope.h"

#include <fcntl.h>

namespace mig::file {

std::string_view ReasonToStay(const Search& search, const os::WalkMount& mount) {
  if (search.onefs) return "otherfs";
  for (const std::string& type : search.excludefs) {
    if (mount.type == type || mount.type.starts_with(type + ".")) return "excludefs";
  }
  switch (mount.kind) {
    case os::MountKind::kPseudo:
      return search.pseudofs ? "" : "pseudofs";
    case os::MountKind::kRemote:
      return search.remotefs ? "" : "remotefs";
    case os::MountKind::kAutomount:
      return "automount";
    case os::MountKind::kOrdinary:
      break;
  }
  return "";
}

std::string PathFor(const Scope& scope, const os::WalkEntry& entry) {
  std::string path = entry.Path();
  const Root& root = *scope.root;
  if (root.given == root.real) return path;
  path.erase(0, root.real == "/" ? 0 : root.real.size());
  return root.given == "/" ? path : root.given + path;
}

std::string_view NameFor(const Scope& scope, const os::WalkEntry& entry) {
  const Root& root = *scope.root;
  const bool is_root =
      entry.folder == AT_FDCWD || (root.given != root.real && entry.Path() == root.real);
  if (!is_root) return entry.name;
  const std::string_view path = root.given;
  return path == "/" ? path : path.substr(path.rfind('/') + 1);
}

}  // namespace mig::file
