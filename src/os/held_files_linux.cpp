#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <set>

#include "os/file_status.h"
#include "os/held_files.h"

namespace mig::os {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// What the kernel writes behind the path of a file that has lost its name (d_path).
constexpr std::string_view kDeleted = " (deleted)";

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Those of one process. False: the visitor has had enough.
bool VisitProcess(HeldFile& file, HeldFileVisitor& visitor) {
  Folder folder(::opendir(file.folder_path.c_str()));
  if (folder == nullptr) {
    if (errno != ENOENT && errno != ESRCH) visitor.Failed(file.folder_path, errno);
    return true;
  }
  file.folder = ::dirfd(folder.get());
  file.executable.clear();
  std::set<std::pair<dev_t, ino_t>> seen;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (!IsNumber(entry->d_name)) continue;
    const auto target = LinkTargetAt(file.folder, entry->d_name);
    if (!target && target.error().code() == Errc::kDenied) {  // so are all the others
      visitor.Failed(file.folder_path, EACCES);
      return true;
    }
    if (!target || !target->ends_with(kDeleted)) continue;
    struct stat status {};
    // A file may be called "x (deleted)": one that has lost its name has no links either.
    if (::fstatat(file.folder, entry->d_name, &status, 0) != 0 || !S_ISREG(status.st_mode) ||
        status.st_nlink != 0 || !seen.emplace(status.st_dev, status.st_ino).second) {
      continue;
    }
    file.descriptor = entry->d_name;
    file.path = target->substr(0, target->size() - kDeleted.size());
    if (file.executable.empty()) {
      const std::string exe = file.folder_path.substr(0, file.folder_path.size() - 2) + "exe";
      if (auto name = LinkTargetAt(AT_FDCWD, exe.c_str())) file.executable = std::move(*name);
    }
    if (!visitor.Visit(file)) return false;
  }
  return true;
}

}  // namespace

Expected<void> VisitHeldFiles(HeldFileVisitor& visitor) {
  const Folder processes(::opendir("/proc"));
  if (processes == nullptr) return ErrnoError(errno, "open /proc");
  while (const dirent* entry = ::readdir(processes.get())) {
    if (!IsNumber(entry->d_name)) continue;
    HeldFile file;
    file.pid = std::atoi(entry->d_name);
    file.folder_path = "/proc/" + std::string(entry->d_name) + "/fd";
    if (!VisitProcess(file, visitor)) break;
  }
  return {};
}

}  // namespace mig::os
