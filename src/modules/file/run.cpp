#include "modules/file/run.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "modules/file/metadata.h"
#include "modules/file/read_pace.h"
#include "modules/file/reader.h"
#include "modules/file/report.h"
#include "modules/file/tally.h"
#include "os/file_status.h"
#include "os/file_walk.h"
#include "os/held_files.h"

namespace mig::file {
namespace {

// A path of searches: where it is, and how they spelled it.
struct Root {
  std::string real;
  std::string given;
  std::vector<Running*> searches;
};

// A search on its way down one of its paths.
struct Scope {
  Running* running;
  int start;  // the walk's depth of the folder that is its path
  const Root* root;
};
using Scopes = std::vector<Scope>;

// The scopes of a folder; mostly its parent's, hence shared.
struct FolderScopes : os::WalkScope {
  Scopes list;
};

const Scopes* ScopesOf(const os::WalkScope* scope) {
  return scope == nullptr ? nullptr : &static_cast<const FolderScopes*>(scope)->list;
}

// A search for which a file is still in the running.
struct Candidate {
  const Scope* scope;
  std::vector<const Check*> yes;  // matchany: the checks that said yes
  bool known = true;              // it was counted as looked at

  const Search& search() const { return scope->running->search(); }
};

std::string_view ReasonOf(Errc code) {
  if (code == Errc::kDenied) return "permission";
  if (code == Errc::kFull) return "toolarge";
  return code == Errc::kNotFound ? "vanished" : "unreadable";
}

std::string_view ReasonOf(os::WalkSkip skip) {
  switch (skip) {
    case os::WalkSkip::kLoop:
      return "loop";
    case os::WalkSkip::kVanished:
      return "vanished";
  }
  return "unreadable";
}

// Why a search does not look into a file system below its paths; empty: it does.
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

// The path of a file as its search spells it: beneath the link, where a link was given as path.
std::string PathFor(const Scope& scope, const os::WalkEntry& entry) {
  std::string path = entry.Path();
  const Root& root = *scope.root;
  if (root.given == root.real) return path;
  path.erase(0, root.real == "/" ? 0 : root.real.size());
  return root.given == "/" ? path : root.given + path;
}

// A path that is given has the name that it was given, also when the walk comes by it elsewhere.
std::string_view NameFor(const Scope& scope, const os::WalkEntry& entry) {
  const Root& root = *scope.root;
  const bool is_root =
      entry.folder == AT_FDCWD || (root.given != root.real && entry.Path() == root.real);
  if (!is_root) return entry.name;
  const std::string_view path = root.given;
  return path == "/" ? path : path.substr(path.rfind('/') + 1);
}

// Which views of a file may be believed: one search's broken gzip is plain bytes to another.
struct Readable {
  bool raw = true;
  bool unpacked = true;
};

// One file, as much of it as was needed so far.
class FileInHand {
 public:
  // `held`: it has no name, and is reached through its process.
  FileInHand(const os::WalkEntry& entry, bool follow, Tally& tally,
             const os::HeldFile* held = nullptr)
      : entry_(entry),
        held_(held),
        follow_(follow),
        tally_(tally),
        metadata_(entry.folder, entry.name, follow) {}

  const os::WalkEntry& entry() const { return entry_; }
  Metadata& metadata() { return metadata_; }

  // As a search spells them.
  std::string_view NameFor(const Scope& scope) const {
    if (held_ == nullptr) return file::NameFor(scope, entry_);
    const std::string_view path = held_->path;
    return path.substr(path.rfind('/') + 1);
  }
  std::string PathFor(const Scope& scope) const {
    return held_ == nullptr ? file::PathFor(scope, entry_) : held_->path;
  }
  json::object Extra(const Search& search, const Names& names) {
    json::object info = metadata_.Extra(search, names);
    if (held_ != nullptr) {
      info["pid"] = held_->pid;
      info["executable"] = json::FromName(held_->executable);
    }
    return info;
  }

  // Null, and reported, when the file system does not tell.
  const os::FileStatus* Status() {
    auto status = metadata_.Status();
    if (!status) Fail(status.error());
    return status ? *status : nullptr;
  }

  // kUnknown is reported too.
  Answer AnswerTo(const Check& check, std::string_view base_name, UtcTime now) {
    auto answer = metadata_.AnswerTo(check, base_name, now);
    if (!answer) {
      Fail(answer.error());
      return Answer::kUnknown;
    }
    if (*answer == Answer::kUnknown) {
      const std::string_view reason = UnsupportedReason(check.kind);
      if (unsupported_.insert(reason).second) tally_.Skipped(reason, entry_.Path());
    }
    return *answer;
  }

  // Reads it for both views. What cannot be read is reported.
  Readable Read(FileReader& reader, FileView& raw, FileView& unpacked) {
    auto file = os::OpenRegularFile(entry_.folder, entry_.name, follow_);
    if (!file) return {Fail(file.error()), false};
    auto read =
        reader.Read(*file, raw.empty() ? nullptr : &raw, unpacked.empty() ? nullptr : &unpacked);
    if (!read) return {Fail(read.error()), false};
    tally_.CountBytes(read->bytes);
    tally_.CountHashed(raw.hashed() + unpacked.hashed());
    if (raw.saw_long_line() || unpacked.saw_long_line()) tally_.CountLongLine();
    return {true, !read->broken || Fail(*read->broken)};
  }

 private:
  bool Fail(const Error& error) {
    if (!failed_) tally_.Failed(ReasonOf(error.code()), entry_.Path(), error.message());
    failed_ = true;
    return false;
  }

  const os::WalkEntry& entry_;
  const os::HeldFile* held_;
  bool follow_;
  Tally& tally_;
  Metadata metadata_;
  bool failed_ = false;                     // which is reported once a file
  std::set<std::string_view> unsupported_;  // what has been reported of it
};

// One worker: looks at what the walk comes by, for the searches that are in scope there.
class Visitor : public os::WalkVisitor, public os::HeldFileVisitor {
 public:
  // `held_roots` are those of searches for files that processes hold.
  Visitor(const std::vector<Root>& roots, const std::vector<Root>& held_roots, const Names& names,
          Report& report, UtcTime now, ReadPace& pace)
      : roots_(roots),
        held_roots_(held_roots),
        names_(names),
        report_(report),
        now_(now),
        tally_(report.max_errors(), report.running().size()),
        reader_(&pace) {
    for (const Running& running : report.running()) {
      wants_folders_ = wants_folders_ || running.search().entries;
    }
  }

  os::WalkScopePtr Enter(const os::WalkFolder& folder, const os::WalkScopePtr& above) override;
  os::WalkScopePtr Cross(const os::WalkFolder& folder, const os::WalkMount& mount,
                         const os::WalkScopePtr& scope) override;
  bool WantsFolders() const override { return wants_folders_; }
  void Entered(const os::WalkFolder&) override { tally_.CountDirectory(); }
  bool Visit(const os::WalkEntry& entry, std::span<const std::size_t> roots,
             const os::WalkScope* scope) override;
  void Skipped(os::WalkSkip why, std::string_view path, const os::WalkScope* scope) override {
    tally_.Skipped(ReasonOf(why), std::string(path));
    // What loops is walked elsewhere.
    if (why != os::WalkSkip::kLoop) Missed(scope);
  }
  void Failed(std::string_view path, int error_number, const os::WalkScope* scope) override {
    const Error error = os::ErrnoError(error_number, "open");
    tally_.Failed(ReasonOf(error.code()), std::string(path), error.message());
    Missed(scope);
  }

  bool Visit(const os::HeldFile& file) override;
  void Failed(const std::string& path, int error_number) override;

  Tally&& TakeTally() { return std::move(tally_); }

 private:
  void Missed(const Scopes& scopes) {
    for (const Scope& one : scopes) tally_.Missed(one.running->index());
  }
  // Without a scope the walk had not begun there: then it may be anybody's.
  void Missed(const os::WalkScope* scope) {
    if (scope != nullptr) return Missed(*ScopesOf(scope));
    for (const Running& running : report_.running()) tally_.Missed(running.index());
  }
  void AddScopes(std::size_t root, int depth, Scopes& scopes) const;
  void AddFileScopes(std::span<const std::size_t> roots, const os::WalkEntry& entry,
                     Scopes& scopes) const;
  void VisitLink(const os::WalkEntry& entry, const Scopes& scopes);
  Scopes VisitItself(const os::WalkEntry& entry, const Scopes& scopes);
  Scopes WithoutExcluded(const Scopes& scopes, const std::string& path, bool count);
  // `has_content`: it is a regular file. What has none satisfies no check of content.
  void Evaluate(FileInHand& file, const Scopes& scopes, bool has_content);
  bool Conclude(Candidate& candidate, FileInHand& file, const FileView& view, bool has_content,
                bool readable);

  const std::vector<Root>& roots_;
  const std::vector<Root>& held_roots_;
  const Names& names_;
  Report& report_;
  UtcTime now_;
  Tally tally_;
  bool wants_folders_ = false;
  FileReader reader_;
};

void Visitor::AddScopes(std::size_t root, int depth, Scopes& scopes) const {
  for (Running* running : roots_[root].searches) {
    const Scope scope{running, depth, &roots_[root]};
    const auto known = std::find_if(scopes.begin(), scopes.end(),
                                    [&](const Scope& other) { return other.running == running; });
    // Two paths of one search, one below the other: from the lower one it reaches further down.
    if (known == scopes.end()) {
      scopes.push_back(scope);
    } else {
      *known = scope;
    }
  }
}

// A file that is a path itself. One that goes by several names is looked at under each: a check of
// names might say yes to one of them only.
void Visitor::AddFileScopes(std::span<const std::size_t> roots, const os::WalkEntry& entry,
                            Scopes& scopes) const {
  for (const std::size_t root : roots) {
    for (Running* running : roots_[root].searches) {
      const Scope scope{running, 1, &roots_[root]};
      const auto known = std::find_if(scopes.begin(), scopes.end(), [&](const Scope& other) {
        return other.running == running && NameFor(other, entry) == NameFor(scope, entry);
      });
      if (known == scopes.end()) {
        scopes.push_back(scope);
      } else {
        *known = scope;
      }
    }
  }
}

os::WalkScopePtr Visitor::Enter(const os::WalkFolder& folder, const os::WalkScopePtr& above) {
  static const Scopes kNone;
  const Scopes& inherited = above == nullptr ? kNone : *ScopesOf(above.get());
  const auto too_deep = [&](const Scope& scope) {
    const std::uint64_t maxdepth = scope.running->search().maxdepth;
    const auto depth = static_cast<std::uint64_t>(folder.depth - scope.start + 1);
    return maxdepth != 0 && depth > maxdepth;
  };
  const auto excluded = [&](const Scope& scope) {
    return scope.running->search().Excludes(folder.path);
  };
  const auto ends_here = [&](const Scope& scope) {
    return scope.running->done() || too_deep(scope) || excluded(scope);
  };
  if (folder.roots.empty() && std::none_of(inherited.begin(), inherited.end(), ends_here)) {
    return above;
  }
  auto changed = std::make_shared<FolderScopes>();
  Scopes& scopes = changed->list;
  scopes = inherited;
  for (const std::size_t root : folder.roots) AddScopes(root, folder.depth, scopes);
  const bool cut_by_depth = std::any_of(scopes.begin(), scopes.end(), too_deep);
  if (std::any_of(scopes.begin(), scopes.end(), excluded)) {
    tally_.Skipped("excluded", std::string(folder.path));
  }
  scopes.erase(std::remove_if(scopes.begin(), scopes.end(), ends_here), scopes.end());
  if (!scopes.empty()) return changed;
  if (cut_by_depth) tally_.Skipped("maxdepth", std::string(folder.path));
  return nullptr;
}

os::WalkScopePtr Visitor::Cross(const os::WalkFolder& folder, const os::WalkMount& mount,
                                const os::WalkScopePtr& scope) {
  auto willing = std::make_shared<FolderScopes>();
  std::set<std::string_view> reasons;
  const Scopes& scopes = *ScopesOf(scope.get());
  for (const Scope& one : scopes) {
    // What a path names itself is wanted, whatever it lies on.
    const bool is_path = one.start == folder.depth && one.root->real == folder.path;
    const std::string_view reason = is_path ? "" : ReasonToStay(one.running->search(), mount);
    if (reason.empty()) {
      willing->list.push_back(one);
    } else {
      reasons.insert(reason);
      // These hold files that the path covers and that nobody asked to leave out.
      if (reason == "remotefs" || reason == "automount") tally_.Missed(one.running->index());
    }
  }
  for (const std::string_view reason : reasons) tally_.Skipped(reason, std::string(folder.path));
  if (willing->list.size() == scopes.size()) return scope;
  return willing->list.empty() ? nullptr : willing;
}

bool Visitor::Visit(const os::WalkEntry& entry, std::span<const std::size_t> roots,
                    const os::WalkScope* scope) {
  const Scopes* scopes = ScopesOf(scope);
  Scopes own;
  if (entry.type == os::EntryType::kFolder && !roots.empty()) {
    // Those above have seen it among the entries of its folder.
    for (const std::size_t root : roots) AddScopes(root, 1, own);
    if (scopes != nullptr) {
      std::erase_if(own, [&](const Scope& one) {
        return std::any_of(scopes->begin(), scopes->end(),
                           [&](const Scope& other) { return other.running == one.running; });
      });
    }
    scopes = &own;
  } else if (!roots.empty() || scopes == nullptr) {
    if (scopes != nullptr) own = *scopes;
    AddFileScopes(roots, entry, own);
    scopes = &own;
  }
  const auto excludes = [](const Scope& one) { return !one.running->search().excluded.empty(); };
  if (std::any_of(scopes->begin(), scopes->end(), excludes)) {
    own = WithoutExcluded(*scopes, entry.Path(), entry.type != os::EntryType::kFolder);
    scopes = &own;
  }
  if (scopes->empty()) return !report_.ended();
  switch (entry.type) {
    case os::EntryType::kFile: {
      tally_.CountFile();
      FileInHand file(entry, /*follow=*/false, tally_);
      Evaluate(file, *scopes, /*has_content=*/true);
      break;
    }
    case os::EntryType::kLink: {
      const Scopes following = VisitItself(entry, *scopes);
      if (!following.empty()) VisitLink(entry, following);
      break;
    }
    case os::EntryType::kFolder:
      VisitItself(entry, *scopes);
      break;
    case os::EntryType::kSpecial:
      if (!VisitItself(entry, *scopes).empty()) tally_.Skipped("special", entry.Path());
      break;
  }
  return !report_.ended();
}

// The scopes that do not exclude this very path. A folder that is left out is counted when it would
// be entered.
Scopes Visitor::WithoutExcluded(const Scopes& scopes, const std::string& path, bool count) {
  Scopes left;
  for (const Scope& one : scopes) {
    if (!one.running->search().Excludes(path)) left.push_back(one);
  }
  if (count && left.size() < scopes.size()) tally_.Skipped("excluded", path);
  return left;
}

// For the searches that look at entries as themselves. Returns the others.
Scopes Visitor::VisitItself(const os::WalkEntry& entry, const Scopes& scopes) {
  Scopes themselves, others;
  for (const Scope& one : scopes) {
    (one.running->search().entries ? themselves : others).push_back(one);
  }
  if (!themselves.empty()) {
    tally_.CountOther();
    FileInHand file(entry, /*follow=*/false, tally_);
    Evaluate(file, themselves, /*has_content=*/false);
  }
  return others;
}

// In the scope of those searches for such files that its path, as it was, lies beneath.
bool Visitor::Visit(const os::HeldFile& held) {
  Scopes scopes;
  for (const Root& root : held_roots_) {
    if (!IsBeneath(held.path, root.real)) continue;
    // The folders between them, as the walk counts.
    const std::string_view below = std::string_view(held.path).substr(root.real.size());
    const auto depth = static_cast<std::uint64_t>(std::count(below.begin(), below.end(), '/')) +
                       (root.real == "/" ? 1 : 0);
    for (Running* running : root.searches) {
      const Search& search = running->search();
      if (search.maxdepth != 0 && depth > search.maxdepth) continue;
      if (search.ExcludesBeneath(held.path)) continue;
      const bool known = std::any_of(scopes.begin(), scopes.end(),
                                     [&](const Scope& one) { return one.running == running; });
      if (!known) scopes.push_back({running, 1, &root});
    }
  }
  if (scopes.empty()) return !report_.ended();
  const os::WalkEntry entry{held.folder, held.descriptor, held.folder_path, os::EntryType::kFile};
  tally_.CountFile();
  FileInHand file(entry, /*follow=*/true, tally_, &held);
  Evaluate(file, scopes, /*has_content=*/true);
  return !report_.ended();
}

void Visitor::Failed(const std::string& path, int error_number) {
  const Error error = os::ErrnoError(error_number, "open");
  tally_.Failed(ReasonOf(error.code()), path, error.message());
  for (const Running& running : report_.running()) {
    if (running.search().deleted) tally_.Missed(running.index());
  }
}

// A link to a regular file is looked at under the link's own name. One to a folder is never
// followed, so there are no loops.
void Visitor::VisitLink(const os::WalkEntry& entry, const Scopes& scopes) {
  auto status = os::StatusAt(entry.folder, entry.name, /*follow=*/true);
  if (!status) {
    const Errc code = status.error().code();
    tally_.Failed(code == Errc::kNotFound ? "brokenlink" : ReasonOf(code), entry.Path(),
                  status.error().message());
    if (code != Errc::kNotFound) Missed(scopes);
  } else if (status->type == os::FileType::kRegular) {
    tally_.CountFile();
    FileInHand file(entry, /*follow=*/true, tally_);
    file.metadata().SetStatus(*status);
    Evaluate(file, scopes, /*has_content=*/true);
  } else {
    const bool folder = status->type == os::FileType::kDirectory;
    tally_.Skipped(folder ? "linktodirectory" : "special", entry.Path());
  }
}

void Visitor::Evaluate(FileInHand& file, const Scopes& scopes, bool has_content) {
  std::vector<Candidate> candidates;
  for (const Scope& scope : scopes) {
    if (scope.running->done()) continue;
    const Search& search = scope.running->search();
    Candidate candidate{&scope, {}};
    bool alive = true;
    bool known = true;
    for (std::size_t i = 0; alive && i < search.cheap; ++i) {
      const Answer answer = file.AnswerTo(search.checks[i], file.NameFor(scope), now_);
      const bool yes = answer == Answer::kYes;
      known = known && answer != Answer::kUnknown;
      if (search.matchall) {
        alive = yes;
      } else if (yes) {
        candidate.yes.push_back(&search.checks[i]);
      }
    }
    if (known) {
      tally_.LookedAt(scope.running->index());
    } else {
      tally_.Missed(scope.running->index());
    }
    candidate.known = known;
    if (alive && (search.matchall || search.needs_content() || !candidate.yes.empty())) {
      candidates.push_back(std::move(candidate));
    }
  }
  if (candidates.empty()) return;

  FileView raw;
  FileView unpacked;
  for (const Candidate& candidate : candidates) {
    const Search& search = candidate.search();
    if (search.needs_content() || !search.returned.empty()) {
      (search.decompress ? unpacked : raw).Add(search);
    }
  }
  Readable readable{has_content, has_content};
  if (has_content && !(raw.empty() && unpacked.empty())) {
    readable = file.Read(reader_, raw, unpacked);
  }
  for (Candidate& candidate : candidates) {
    const bool inside = candidate.search().decompress;
    if (!Conclude(candidate, file, inside ? unpacked : raw, has_content,
                  inside ? readable.unpacked : readable.raw)) {
      return;
    }
  }
}

// Reports what the candidate has found. False when the run ends.
bool Visitor::Conclude(Candidate& candidate, FileInHand& file, const FileView& view,
                       bool has_content, bool readable) {
  const Search& search = candidate.search();
  const auto missed = [&] {
    if (candidate.known) tally_.MissedAfterAll(candidate.scope->running->index());
    candidate.known = false;
  };
  if (has_content && search.needs_content() && !readable) missed();
  // What could not be read is neither found nor not found: it stands among the skipped.
  if (search.matchall && search.needs_content() && !(readable && view.AllYes(search))) return true;
  if (!search.matchall && readable) {
    for (std::size_t i = search.cheap; i < search.checks.size(); ++i) {
      if (view.Answer(search.checks[i])) candidate.yes.push_back(&search.checks[i]);
    }
    if (candidate.yes.empty()) return true;
  }
  const os::FileStatus* status = file.Status();
  if (status == nullptr) {
    missed();
    return true;
  }
  const std::string path = file.PathFor(*candidate.scope);
  Digests digests;
  if (readable) {
    for (const DigestKind kind : search.returned) digests.emplace_back(kind, view.DigestOf(kind));
  }
  const json::object extra = file.Extra(search, names_);
  Running& running = *candidate.scope->running;
  if (search.matchall) return report_.Found(running, path, *status, nullptr, digests, extra);
  for (const Check* check : candidate.yes) {
    if (running.done()) break;
    if (!report_.Found(running, path, *status, check, digests, extra)) return false;
  }
  return true;
}

// What a search excludes, as the walk comes by it: what the path is, and where it leads if it is a
// link. What is not there excludes nothing.
void FindExcluded(Search& search) {
  for (const std::string& path : search.excludes) {
    const std::size_t slash = path.rfind('/');
    if (auto folder = os::RealPath(path.substr(0, std::max<std::size_t>(slash, 1)))) {
      const std::string name = path.substr(slash + 1);
      if (!name.empty()) search.excluded.insert(*folder + (*folder == "/" ? "" : "/") + name);
    }
    if (auto real = os::RealPath(path)) search.excluded.insert(*real);
  }
}

// The paths of all searches, where they really are. One that is not there is reported.
std::vector<Root> RootsOf(Report& report, Tally& tally) {
  std::vector<Root> roots;
  std::set<std::string> missing;
  for (Running& running : report.running()) {
    if (running.search().deleted) continue;
    for (const std::string& given : running.search().paths) {
      const auto known = std::find_if(roots.begin(), roots.end(),
                                      [&](const Root& root) { return root.given == given; });
      if (known != roots.end() && !running.search().ExcludesBeneath(known->real)) {
        known->searches.push_back(&running);
        continue;
      }
      auto real = os::RealPath(given);
      if (real &&
          running.search().ExcludesBeneath(*real)) {  // by another name than that of the path
        tally.Skipped("excluded", given);
      } else if (real) {
        if (*real != given) report.Followed(given, *real);
        roots.push_back({std::move(*real), given, {&running}});
      } else {
        // A path that is not there has nothing to look at; one that cannot be reached may.
        const bool absent = real.error().code() == Errc::kNotFound;
        if (!absent) tally.Missed(running.index());
        if (!missing.insert(given).second) continue;
        tally.Failed(absent ? "missing" : ReasonOf(real.error().code()), given,
                     real.error().message());
      }
    }
  }
  return roots;
}

// The paths of searches for files that processes hold: where they really are as far as they are
// there, for what is gone may have taken its folder with it.
std::vector<Root> HeldRootsOf(Report& report) {
  std::vector<Root> roots;
  for (Running& running : report.running()) {
    if (!running.search().deleted) continue;
    for (const std::string& given : running.search().paths) {
      auto real = os::RealPath(given);
      roots.push_back({real ? *real : given, given, {&running}});
    }
  }
  return roots;
}

}  // namespace

ModuleResult RunSearches(std::vector<Search> searches, ElementSink& sink, UtcTime now,
                         const RunShare& share) {
  const auto start = std::chrono::steady_clock::now();
  for (Search& search : searches) FindExcluded(search);
  Names names;
  std::vector<Unanswerable> unanswerable = ResolveNames(searches, names);
  Report report(searches, std::move(unanswerable), sink);
  Tally tally(report.max_errors(), report.running().size());
  const std::vector<Root> roots = RootsOf(report, tally);
  const std::vector<Root> held_roots = HeldRootsOf(report);
  std::vector<os::WalkRoot> places;
  for (const Root& root : roots) places.push_back({root.real});
  ReadPace pace(share.read_rate);
  std::vector<std::unique_ptr<Visitor>> visitors;
  std::vector<os::WalkVisitor*> workers;
  for (std::size_t i = 0; i < std::clamp<std::size_t>(share.threads, 1, os::kMostWalkers); ++i) {
    visitors.push_back(std::make_unique<Visitor>(roots, held_roots, names, report, now, pace));
    workers.push_back(visitors.back().get());
  }
  os::WalkFiles(places, os::OwnMounts(), workers);
  if (!held_roots.empty() && !report.ended()) {
    if (auto seen = os::VisitHeldFiles(*visitors.front()); !seen) {
      tally.Failed(ReasonOf(seen.error().code()), "/proc", seen.error().message());
      for (const Running& running : report.running()) {
        if (running.search().deleted) tally.Missed(running.index());
      }
    }
  }
  for (const auto& visitor : visitors) tally.Add(visitor->TakeTally());
  return std::move(report).Finish(std::chrono::steady_clock::now() - start, std::move(tally));
}

}  // namespace mig::file
