#include "modules/file/visitor.h"

#include <algorithm>
#include <memory>
#include <set>

namespace mig::file {
namespace {

// The scopes of a folder; mostly its parent's, hence shared.
struct FolderScopes : os::WalkScope {
  Scopes list;
};

const Scopes* ScopesOf(const os::WalkScope* scope) {
  return scope == nullptr ? nullptr : &static_cast<const FolderScopes*>(scope)->list;
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

}  // namespace

Visitor::Visitor(const std::vector<Root>& roots, const std::vector<Root>& held_roots,
                 const RunFacts& facts, Report& report, ReadPace& pace)
    : roots_(roots),
      held_roots_(held_roots),
      report_(report),
      tally_(report.max_errors(), report.running().size()),
      reader_(&pace),
      evaluation_(facts, report, tally_),
      archive_(facts, report, tally_) {
  for (const Running& running : report.running()) {
    wants_folders_ = wants_folders_ || running.search().entries;
  }
}

void Visitor::Skipped(os::WalkSkip why, std::string_view path, const os::WalkScope* scope) {
  tally_.Skipped(ReasonOf(why), std::string(path));
  // What loops is walked elsewhere.
  if (why != os::WalkSkip::kLoop) Missed(scope);
}

void Visitor::Failed(std::string_view path, int error_number, const os::WalkScope* scope) {
  const Error error = os::ErrnoError(error_number, "open");
  tally_.Failed(SkipReason(error.code()), std::string(path), error.message());
  Missed(scope);
}

void Visitor::Missed(const Scopes& scopes) {
  for (const Scope& one : scopes) tally_.Missed(one.running->index());
}

void Visitor::Missed(const os::WalkScope* scope) {
  if (scope != nullptr) return Missed(*ScopesOf(scope));
  for (const Running& running : report_.running()) tally_.Missed(running.index());
}

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
  tally_.Failed(SkipReason(error.code()), path, error.message());
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
    tally_.Failed(code == Errc::kNotFound ? "brokenlink" : SkipReason(code), entry.Path(),
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
  evaluation_.Begin(file, scopes, has_content);
  const bool archive = has_content && archive_.Begin(file, scopes);
  if (evaluation_.over() && !archive) return;
  Readable readable{has_content, has_content, has_content};
  if (evaluation_.wants_content() || archive) {
    readable = file.Read(reader_, evaluation_.raw(), evaluation_.unpacked(),
                         archive ? &archive_.scan() : nullptr);
  }
  if (archive) archive_.Finish(readable.archive);
  evaluation_.Conclude(readable);
}

}  // namespace mig::file
