#include "os/file_walk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "os/files.h"
#include "test/skip.h"
#include "test/temp_folder.h"

using namespace mig;
using namespace mig::os;

namespace fs = std::filesystem;

namespace {

// Notes everything, as paths relative to the folder of the test.
class Notes : public WalkVisitor {
 public:
  explicit Notes(fs::path base) : base_(base.string() + "/") {}

  std::vector<std::string> files;    // sorted by Sorted()
  std::vector<std::string> folders;  // "d depth 2 roots 0 3"
  std::vector<std::string> entered;
  std::vector<std::string> crossed;  // "nfs: nfs4"
  bool wants_folders = false;
  std::vector<std::string> skipped;  // "vanished: d"
  std::vector<std::string> failed;
  std::function<bool(const std::string& path)> on_visit = [](const std::string&) { return true; };
  std::function<bool(const std::string& path)> on_enter = [](const std::string&) { return true; };
  bool cross = false;

  WalkScopePtr Enter(const WalkFolder& folder, const WalkScopePtr& above) override {
    CHECK((above == nullptr) == (folder.depth == 1));
    const std::string path = Short(folder.path);
    std::string note = path + " depth " + std::to_string(folder.depth);
    for (const std::size_t root : folder.roots) note += " root " + std::to_string(root);
    folders.push_back(note);
    return on_enter(path) ? std::make_shared<WalkScope>() : nullptr;
  }
  WalkScopePtr Cross(const WalkFolder& folder, const WalkMount& mount,
                     const WalkScopePtr& scope) override {
    const std::string kind(MountKindName(mount.kind));
    folders.push_back(Short(folder.path) + " crosses " + kind);
    crossed.push_back(Short(folder.path) + ": " + std::string(mount.type));
    if (cross || mount.kind == MountKind::kOrdinary) return scope;
    skipped.push_back(kind + " file system: " + Short(folder.path));
    return nullptr;
  }
  bool WantsFolders() const override { return wants_folders; }
  void Entered(const WalkFolder& folder) override { entered.push_back(Short(folder.path)); }
  bool Visit(const WalkEntry& entry, std::span<const std::size_t> roots,
             const WalkScope*) override {
    std::string note = Short(entry.Path());
    if (entry.type == EntryType::kLink) note += " (link)";
    if (entry.type == EntryType::kFolder) note += " (folder)";
    if (entry.type == EntryType::kSpecial) note += " (special)";
    for (const std::size_t root : roots) note += " root " + std::to_string(root);
    files.push_back(note);
    struct stat status {};
    CHECK(::fstatat(entry.folder, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0);
    return on_visit(Short(entry.Path()));
  }
  void Skipped(WalkSkip why, std::string_view path, const WalkScope*) override {
    skipped.push_back(std::string(WalkSkipName(why)) + ": " + Short(path));
  }
  void Failed(std::string_view path, int error, const WalkScope*) override {
    failed.push_back(Short(path) + ": " + std::to_string(error));
  }

 private:
  std::string Short(std::string_view path) const {
    if (path.starts_with(base_)) path.remove_prefix(base_.size());
    return path == base_.substr(0, base_.size() - 1) ? "." : std::string(path);
  }
  std::string base_;
};

using Names = std::vector<std::string>;

Names Sorted(Names names) {
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<WalkRoot> Roots(const TempFolder& folder, const Names& names) {
  std::vector<WalkRoot> roots;
  for (const std::string& name : names) {
    roots.push_back({name == "." ? fs::canonical(folder.path()).string()
                                 : (fs::canonical(folder.path()) / name).string()});
  }
  return roots;
}

void Walk(const std::vector<WalkRoot>& roots, const std::vector<Mount>& mounts, Notes& notes) {
  WalkVisitor* const visitors[] = {&notes};
  WalkFiles(roots, mounts, visitors);
}

Notes WalkThrough(const TempFolder& folder, const Names& roots,
                  const std::vector<Mount>& mounts = {}) {
  Notes notes(fs::canonical(folder.path()));
  Walk(Roots(folder, roots), mounts, notes);
  return notes;
}

}  // namespace

TEST_CASE("walk: every file once, folders are not files, links are not followed", "[os]") {
  const TempFolder folder;
  folder.Write("a", "");
  folder.Write("d/b", "");
  folder.Write("d/e/c", "");
  fs::create_directory(folder / "empty");
  fs::create_symlink("d", folder / "to_folder");
  fs::create_symlink("a", folder / "to_file");
  fs::create_symlink("nowhere", folder / "to_nothing");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  const Notes notes = WalkThrough(folder, {"."});
  CHECK(Sorted(notes.files) == Names{"a", "d/b", "d/e/c", "pipe (special)", "to_file (link)",
                                     "to_folder (link)", "to_nothing (link)"});
  CHECK(Sorted(notes.folders) ==
        Names{". depth 1 root 0", "d depth 2", "d/e depth 3", "empty depth 2"});
  CHECK(notes.skipped.empty());
  CHECK(notes.failed.empty());
}

TEST_CASE("walk: roots within one another are met on the way, in any order, once", "[os]") {
  const TempFolder folder;
  folder.Write("d/e/f", "");
  folder.Write("dd/g", "");
  for (const Names& roots : {Names{".", "d/e", "d", "d"}, Names{"d/e", "d", ".", "d"}}) {
    const Notes notes = WalkThrough(folder, roots);
    CHECK(Sorted(notes.files) == Names{"d/e/f", "dd/g"});
    CHECK(notes.folders.size() == 4);
  }
  const Notes notes = WalkThrough(folder, {"d/e", "."});
  CHECK(Sorted(notes.folders) ==
        Names{". depth 1 root 1", "d depth 2", "d/e depth 3 root 0", "dd depth 2"});
}

TEST_CASE("walk: a root that the way did not reach is walked for itself", "[os]") {
  const TempFolder folder;
  folder.Write("d/e/f", "");
  Notes notes(fs::canonical(folder.path()));
  notes.on_enter = [](const std::string& path) { return path != "d"; };
  Walk(Roots(folder, {".", "d/e"}), {}, notes);
  CHECK(notes.files == Names{"d/e/f"});
  CHECK(notes.folders == Names{". depth 1 root 0", "d depth 2", "d/e depth 1 root 1"});
}

TEST_CASE("walk: a root may be a file, met on the way or alone", "[os]") {
  const TempFolder folder;
  folder.Write("d/f", "");
  folder.Write("d/g", "");
  CHECK(WalkThrough(folder, {"d/f"}).files == Names{"d/f root 0"});
  CHECK(Sorted(WalkThrough(folder, {"d/f", "d"}).files) == Names{"d/f root 0", "d/g"});
  const Notes missing = WalkThrough(folder, {"none", "d"});
  CHECK(missing.failed == Names{"none: " + std::to_string(ENOENT)});
  CHECK(missing.files.size() == 2);
}

TEST_CASE("walk: deeper than descriptors and than a path may be long", "[os]") {
  const TempFolder folder;
  const std::string name(100, 'n');
  FileDescriptor fd(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 600; ++depth) {  // 60,600 bytes of path
    REQUIRE(::mkdirat(fd.get(), name.c_str(), 0700) == 0);
    REQUIRE(::mkdirat(fd.get(), "z", 0700) == 0);  // a folder to come back for
    fd.Reset(::openat(fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(fd.valid());
  }
  FileDescriptor file(::openat(fd.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const Notes notes = WalkThrough(folder, {"."});
  CHECK(notes.files.size() == 1);
  CHECK(notes.files.at(0).size() == 600 * 101 + 1);
  CHECK(notes.folders.size() == 1201);
  CHECK(notes.skipped.empty());
}

TEST_CASE("walk: a folder that is moved away while deep inside does not lead us astray", "[os]") {
  const TempFolder folder;
  const TempFolder elsewhere;
  elsewhere.Write("secret", "");
  FileDescriptor fd(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string half;
  for (int depth = 0; depth < 600; ++depth) {
    REQUIRE(::mkdirat(fd.get(), "n", 0700) == 0);
    REQUIRE(::mkdirat(fd.get(), "z", 0700) == 0);
    FileDescriptor file(::openat(fd.get(), "z/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(file.valid());
    fd.Reset(::openat(fd.get(), "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    half += depth < 100 ? "n/" : "";
  }
  FileDescriptor file(::openat(fd.get(), "deepest", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Notes notes(fs::canonical(folder.path()));
  notes.on_visit = [&](const std::string& path) {
    if (path.ends_with("/deepest")) fs::rename(folder / half, elsewhere / "moved");
    return true;
  };
  Walk(Roots(folder, {"."}), {}, notes);
  // What was beneath is gone through to its end; what was above is found again by its path.
  CHECK(notes.files.size() == 601);
  CHECK(notes.skipped.empty());
  for (const std::string& name : notes.files) CHECK(name.find("secret") == name.npos);
}

TEST_CASE("walk: a folder closed for its depth and gone when its turn comes is vanished", "[os]") {
  const TempFolder folder;
  const TempFolder elsewhere;
  FileDescriptor fd(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 600; ++depth) {
    for (const char* name : {"n", "z"}) REQUIRE(::mkdirat(fd.get(), name, 0700) == 0);
    fd.Reset(::openat(fd.get(), "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  FileDescriptor file(::openat(fd.get(), "deepest", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Notes notes(fs::canonical(folder.path()));
  notes.on_visit = [&](const std::string&) {
    // From the third folder on everything hangs somewhere else, and in its place is another.
    fs::rename(folder / "n/n/n/n", elsewhere / "moved");
    fs::rename(folder / "n/n/n", elsewhere / "third");
    fs::create_directories(folder / "n/n/n/z/not_ours");
    return true;
  };
  Walk(Roots(folder, {"."}), {}, notes);
  CHECK(std::count_if(notes.entered.begin(), notes.entered.end(), [](const std::string& path) {
          return path.find("not_ours") != path.npos;
        }) == 0);
  for (const std::string& note : notes.skipped) CHECK(note == "vanished: n/n/n/z");
}

TEST_CASE("walk: what vanishes before we come to it is skipped and named", "[os]") {
  const TempFolder folder;
  folder.Write("d/f", "");
  Notes notes(fs::canonical(folder.path()));
  notes.on_enter = [&](const std::string& path) {
    if (path == "d") fs::remove_all(folder / "d");
    return true;
  };
  Walk(Roots(folder, {"."}), {}, notes);
  CHECK(notes.skipped == Names{"vanished: d"});
  // Replaced by a link to somewhere else: not followed.
  folder.Write("d/f", "");
  folder.Write("other/secret", "");
  Notes swapped(fs::canonical(folder.path()));
  swapped.on_enter = [&](const std::string& path) {
    if (path == "d") {
      fs::remove_all(folder / "d");
      fs::create_symlink("other", folder / "d");
    }
    return path != "other";
  };
  Walk(Roots(folder, {"."}), {}, swapped);
  CHECK(swapped.skipped == Names{"vanished: d"});
  CHECK(swapped.files.empty());
}

TEST_CASE("walk: the visitor can end it at any file", "[os]") {
  const TempFolder folder;
  for (int i = 0; i < 100; ++i)
    folder.Write("d" + std::to_string(i % 10) + "/" + std::to_string(i), "");
  Notes notes(fs::canonical(folder.path()));
  notes.on_visit = [&](const std::string&) { return notes.files.size() < 15; };
  Walk(Roots(folder, {".", "d1"}), {}, notes);
  CHECK(notes.files.size() == 15);
}

TEST_CASE("walk: another file system is asked about before it is touched", "[os]") {
  const TempFolder folder;
  folder.Write("nfs/f", "");
  folder.Write("g", "");
  const std::string at = (fs::canonical(folder.path()) / "nfs").string();
  const std::vector<Mount> mounts = {{at, "nfs4", MountKind::kRemote}};
  const Notes closed = WalkThrough(folder, {"."}, mounts);
  CHECK(closed.files == Names{"g"});
  CHECK(closed.skipped == Names{"remote file system: nfs"});
  CHECK(closed.folders.back() == "nfs crosses remote");

  Notes open(fs::canonical(folder.path()));
  open.cross = true;
  Walk(Roots(folder, {"."}), mounts, open);
  CHECK(Sorted(open.files) == Names{"g", "nfs/f"});

  CHECK(open.crossed == Names{"nfs: nfs4"});

  // Named as a root itself, it was asked for.
  CHECK(WalkThrough(folder, {"nfs"}, mounts).files == Names{"nfs/f"});
}

TEST_CASE("walk: folders are visited where that is wanted, roots among them", "[os]") {
  const TempFolder folder;
  folder.Write("d/e/f", "");
  fs::create_directory(folder / "nfs");
  const std::string at = (fs::canonical(folder.path()) / "nfs").string();
  const std::vector<Mount> mounts = {{at, "nfs4", MountKind::kRemote}};
  Notes notes(fs::canonical(folder.path()));
  notes.wants_folders = true;
  Walk(Roots(folder, {".", "d/e"}), mounts, notes);
  // d/e as an entry of d, and as a root; nothing of what lies on a server.
  CHECK(Sorted(notes.files) ==
        Names{". (folder) root 0", "d (folder)", "d/e (folder)", "d/e (folder) root 1", "d/e/f"});
}

TEST_CASE("walk: a pseudo file system that no list knew of is recognised when opened", "[os]") {
  Notes notes("/");
  notes.on_enter = [](const std::string& path) { return path == "." || path == "/proc"; };
  const std::vector<WalkRoot> roots = {{"/"}};
  Walk(roots, {}, notes);
  CHECK(std::find(notes.skipped.begin(), notes.skipped.end(), "pseudo file system: /proc") !=
        notes.skipped.end());
}

TEST_CASE("walk: a bind mount that leads back is a loop, and said so", "[os]") {
  if (::geteuid() != 0) MIG_SKIP("mounting needs root");
  const TempFolder folder;
  folder.Write("d/f", "");
  fs::create_directories(folder / "d/back");
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(folder.path().c_str(), (folder / "d/back").c_str(), nullptr, MS_BIND, nullptr) !=
            0) {
      ::_exit(77);
    }
    Notes notes(fs::canonical(folder.path()));
    Walk(Roots(folder, {"."}), {}, notes);
    const bool good =
        notes.files == Names{"d/f"} && notes.skipped == Names{"loop of mounts: d/back"};
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  if (WEXITSTATUS(status) == 77) MIG_SKIP("this container may not mount");
  CHECK(WEXITSTATUS(status) == 0);
}

namespace {

// Counts what each path was visited for by any of several workers.
class Counting : public WalkVisitor {
 public:
  struct Seen {
    std::mutex lock;
    std::map<std::string, int> files, folders;
    std::set<std::thread::id> threads;
    std::size_t most_open = 0;
  };
  explicit Counting(Seen& seen) : seen_(seen) {}

  WalkScopePtr Enter(const WalkFolder& folder, const WalkScopePtr& above) override {
    auto scope = std::make_shared<Path>();
    scope->path = std::string(folder.path);
    if (above != nullptr) {
      const std::lock_guard held(seen_.lock);  // Catch's checks are one thread's at a time
      const std::string& parent = static_cast<const Path*>(above.get())->path;
      CHECK_THAT(scope->path, Catch::StartsWith(parent + "/"));
      CHECK(scope->path.find('/', parent.size() + 1) == std::string::npos);
    }
    return scope;
  }
  WalkScopePtr Cross(const WalkFolder&, const WalkMount&, const WalkScopePtr&) override {
    return nullptr;
  }
  void Entered(const WalkFolder& folder) override {
    const std::lock_guard held(seen_.lock);
    ++seen_.folders[std::string(folder.path)];
  }
  bool Visit(const WalkEntry& entry, std::span<const std::size_t>,
             const WalkScope* scope) override {
    struct stat status {};
    const bool there = ::fstatat(entry.folder, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    const std::lock_guard held(seen_.lock);
    CHECK(there);
    CHECK(entry.folder_path == static_cast<const Path*>(scope)->path);
    ++seen_.files[entry.Path()];
    seen_.threads.insert(std::this_thread::get_id());
    if (on_visit) return on_visit(seen_.files.size());
    return true;
  }
  void Skipped(WalkSkip, std::string_view path, const WalkScope*) override { Note(path); }
  void Failed(std::string_view path, int, const WalkScope*) override { Note(path); }

  std::function<bool(std::size_t count)> on_visit;

 private:
  struct Path : WalkScope {
    std::string path;
  };
  void Note(std::string_view path) {
    const std::lock_guard held(seen_.lock);
    FAIL_CHECK("not visited: " << path);
  }
  Seen& seen_;
};

void WalkTogether(const std::vector<WalkRoot>& roots, std::size_t workers, Counting::Seen& seen,
                  const std::function<bool(std::size_t)>& on_visit = nullptr) {
  std::vector<std::unique_ptr<Counting>> all;
  std::vector<WalkVisitor*> visitors;
  for (std::size_t i = 0; i < workers; ++i) {
    all.push_back(std::make_unique<Counting>(seen));
    all.back()->on_visit = on_visit;
    visitors.push_back(all.back().get());
  }
  WalkFiles(roots, {}, visitors);
}

}  // namespace

TEST_CASE("walk: several workers see every file once, wide and deep", "[os]") {
  const TempFolder folder;
  for (int i = 0; i < 400; ++i) {
    folder.Write("wide/" + std::to_string(i), "");
    folder.Write(
        "many/" + std::to_string(i % 40) + "/" + std::to_string(i % 7) + "/" + std::to_string(i),
        "");
  }
  FileDescriptor fd(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int depth = 0; depth < 300; ++depth) {
    for (const char* name : {"n", "z"}) REQUIRE(::mkdirat(fd.get(), name, 0700) == 0);
    FileDescriptor(::openat(fd.get(), "z/f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    fd.Reset(::openat(fd.get(), "n", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  const auto roots = Roots(folder, {"many/3", ".", "wide/7", "wide"});
  for (const std::size_t workers : {1, 2, 3, 16, 64}) {
    CAPTURE(workers);
    Counting::Seen seen;
    WalkTogether(roots, workers, seen);
    CHECK(seen.files.size() == 800 + 300);
    CHECK(seen.folders.size() == 1 + 2 + 40 + 280 + 600);
    for (const auto& [path, count] : seen.files) CHECK((count == 1 || path.empty()));
    for (const auto& [path, count] : seen.folders) CHECK((count == 1 || path.empty()));
  }
}

TEST_CASE("walk: what one worker ends is ended for all, and what it throws comes out", "[os]") {
  const TempFolder folder;
  for (int i = 0; i < 300; ++i) {
    folder.Write(std::to_string(i % 30) + "/" + std::to_string(i), "");
  }
  Counting::Seen seen;
  WalkTogether(Roots(folder, {"."}), 4, seen, [](std::size_t count) { return count < 20; });
  CHECK(seen.files.size() >= 20);
  CHECK(seen.files.size() <= 20 + 3);  // those that the others had in hand
  Counting::Seen thrown;
  CHECK_THROWS_AS(WalkTogether(Roots(folder, {"."}), 4, thrown,
                               [](std::size_t count) -> bool {
                                 if (count == 10) throw std::bad_alloc();
                                 return true;
                               }),
                  std::bad_alloc);
}
