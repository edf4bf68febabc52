#include "modules/file_run.h"

#include <re2/re2.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "modules/file_reader.h"
#include "os/directory.h"
#include "util/encoding.h"

namespace mig::file {
namespace {

constexpr std::size_t kMaxErrorsKept = 10'000;  // when a search asks for all of them
constexpr std::size_t kExamples = 3;
// Each level of a walk holds a descriptor.
constexpr std::size_t kMaxWalkDepth = 512;

std::string Joined(const std::string& folder, const std::string& name) {
  return folder == "/" ? "/" + name : folder + "/" + name;
}

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string BaseOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "/etc" covers "/etc" and "/etc/x", never "/etcetera".
bool Covers(const std::string& root, const std::string& path) {
  if (root == "/") return true;
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

// What was not looked at, by reason, with the first examples.
class Skipped {
 public:
  void Add(const std::string& reason, const std::string& path) {
    Reason& entry = reasons_[reason];
    ++entry.count;
    if (entry.examples.size() < kExamples) entry.examples.push_back(path);
  }
  json::object ToJson() const {
    json::object all;
    for (const auto& [reason, entry] : reasons_) {
      json::array examples;
      for (const std::string& path : entry.examples) examples.push_back(json::FromName(path));
      all[reason] = json::object{{"count", entry.count}, {"examples", std::move(examples)}};
    }
    return all;
  }

 private:
  struct Reason {
    std::uint64_t count = 0;
    std::vector<std::string> examples;
  };
  std::map<std::string, Reason> reasons_;
};

// A search while it runs.
struct Running {
  const Search* search;
  std::uint64_t hits = 0;
  std::vector<std::uint64_t> check_hits;  // matchany: for each check
  bool done() const { return search->matchlimit != 0 && hits >= search->matchlimit; }
};

// A search on its way down one of its paths.
struct Scope {
  Running* running;
  std::uint64_t depth;  // of the directory it is in; its own path is 1

  bool MayEnter() const {
    return !running->done() &&
           (running->search->maxdepth == 0 || depth <= running->search->maxdepth);
  }
};

class Walk {
 public:
  Walk(const std::vector<Search>& searches, ElementSink& sink, UtcTime now)
      : sink_(sink), now_(now) {
    bool all_errors = false;
    for (const Search& search : searches) {
      running_.push_back({&search, 0, std::vector<std::uint64_t>(search.checks.size(), 0)});
      all_errors = all_errors || search.maxerrors == 0;
      max_errors_ = std::max(max_errors_, search.maxerrors);
    }
    if (all_errors) max_errors_ = kMaxErrorsKept;
    for (Running& running : running_) {
      for (const std::string& path : running.search->paths) roots_[path].push_back(&running);
    }
  }

  ModuleResult Run();

 private:
  void WalkRoot(const std::string& root);
  void WalkDirectory(os::Directory directory, const std::string& path, std::vector<Scope> scopes,
                     std::uint64_t device, std::size_t level);
  void AddScopes(const std::string& path, std::vector<Scope>* scopes);
  bool LeadsToRoot(const std::string& path) const;
  void VisitEntry(const os::Directory& directory, const std::string& path,
                  const os::Directory::Entry& entry, const std::vector<Scope>& scopes,
                  std::vector<std::string>* folders);
  void Evaluate(const os::Directory& directory, const std::string& name, const std::string& path,
                bool follow, const std::vector<Scope>& scopes);
  bool CheapAnswer(const Check& check, const std::string& name, const os::FileStatus& status) const;
  bool Report(Running& running, const std::string& path, const os::FileStatus& status,
              const Check* check, const std::optional<Bytes>& sha256);
  void Fail(const std::string& path, const Error& error);
  bool AllDone() const {
    return stopped_ || std::all_of(running_.begin(), running_.end(),
                                   [](const Running& running) { return running.done(); });
  }

  ElementSink& sink_;
  UtcTime now_;
  std::vector<Running> running_;
  std::map<std::string, std::vector<Running*>> roots_;
  std::set<std::string> visited_roots_;
  FileReader reader_;

  std::uint64_t files_ = 0, directories_ = 0, open_failed_ = 0, total_hits_ = 0, bytes_ = 0,
                long_lines_ = 0;
  std::uint64_t max_errors_ = 0, errors_dropped_ = 0;
  std::vector<std::string> errors_;
  Skipped skipped_;
  json::array followed_;
  bool stopped_ = false;  // the sink takes no more
};

void Walk::Fail(const std::string& path, const Error& error) {
  ++open_failed_;
  // By kind, so that "no" says what it could not see.
  skipped_.Add(error.code() == Errc::kDenied     ? "permission"
               : error.code() == Errc::kNotFound ? "vanished"
                                                 : "unreadable",
               path);
  if (errors_.size() < max_errors_) {
    errors_.push_back("ERROR: " + path + ": " + error.message());
  } else {
    ++errors_dropped_;
  }
}

// The searches whose path this is begin here.
void Walk::AddScopes(const std::string& path, std::vector<Scope>* scopes) {
  const auto root = roots_.find(path);
  if (root == roots_.end()) return;
  visited_roots_.insert(path);
  for (Running* running : root->second) {
    const auto known = std::find_if(scopes->begin(), scopes->end(),
                                    [&](const Scope& scope) { return scope.running == running; });
    if (known == scopes->end()) {
      scopes->push_back({running, 1});
    } else {
      known->depth = 1;  // two paths of one search, one below the other: the deeper reaches further
    }
  }
}

bool Walk::LeadsToRoot(const std::string& path) const {
  for (auto root = roots_.lower_bound(path); root != roots_.end(); ++root) {
    if (!root->first.starts_with(path)) return false;
    if (root->first != path && Covers(path, root->first) && !visited_roots_.contains(root->first)) {
      return true;
    }
  }
  return false;
}

void Walk::WalkRoot(const std::string& root) {
  auto link = os::StatusOf(root, false);
  if (!link) {
    visited_roots_.insert(root);
    return Fail(root, link.error());
  }
  if (link->type == os::FileType::kSymlink) {
    auto target = os::ResolvePath(root);
    if (!target) {
      visited_roots_.insert(root);
      return Fail(root, target.error());
    }
    followed_.push_back(
        json::object{{"path", json::FromName(root)}, {"to", json::FromName(*target)}});
  }
  auto status = os::StatusOf(root, true);
  if (!status) {
    visited_roots_.insert(root);
    return Fail(root, status.error());
  }
  if (status->type == os::FileType::kDirectory) {
    auto directory = os::Directory::Open(root);
    if (!directory) {
      visited_roots_.insert(root);
      return Fail(root, directory.error());
    }
    // Named by the user, so a pseudo file system is walked here.
    return WalkDirectory(std::move(*directory), root, {}, status->device, 1);
  }
  std::vector<Scope> scopes;
  AddScopes(root, &scopes);
  if (status->type != os::FileType::kRegular) return skipped_.Add("special", root);
  auto folder = os::Directory::Open(FolderOf(root));
  if (!folder) return Fail(root, folder.error());
  Evaluate(*folder, BaseOf(root), root, true, scopes);
}

void Walk::WalkDirectory(os::Directory directory, const std::string& path,
                         std::vector<Scope> scopes, std::uint64_t device, std::size_t level) {
  AddScopes(path, &scopes);
  std::vector<Scope> here;
  for (const Scope& scope : scopes) {
    if (scope.MayEnter()) here.push_back(scope);
  }
  if (here.empty() && !LeadsToRoot(path)) {
    skipped_.Add("maxdepth", path);
    return;
  }
  ++directories_;
  std::vector<std::string> folders;
  os::Directory::Entry entry;
  for (;;) {
    auto more = directory.Next(&entry);
    if (!more) {
      Fail(path, more.error());
      break;
    }
    if (!*more || AllDone()) break;
    VisitEntry(directory, path, entry, here, &folders);
  }
  for (Scope& scope : scopes) ++scope.depth;
  for (const std::string& name : folders) {
    if (AllDone()) return;
    const std::string child_path = Joined(path, name);
    if (level >= kMaxWalkDepth) {
      skipped_.Add("toodeep", child_path);
      continue;
    }
    auto child = directory.OpenChild(name);
    if (!child) {
      Fail(child_path, child.error());
      continue;
    }
    auto status = child->Status();
    if (!status) {
      Fail(child_path, status.error());
      continue;
    }
    if (status->device != device && child->IsPseudo() && !roots_.contains(child_path)) {
      skipped_.Add("pseudofs", child_path);
      continue;
    }
    WalkDirectory(std::move(*child), child_path, scopes, status->device, level + 1);
  }
}

void Walk::VisitEntry(const os::Directory& directory, const std::string& path,
                      const os::Directory::Entry& entry, const std::vector<Scope>& scopes,
                      std::vector<std::string>* folders) {
  os::FileType type = entry.type;
  const std::string full = Joined(path, entry.name);
  if (type == os::FileType::kUnknown) {
    auto status = directory.StatusOf(entry.name, false);
    if (!status) return Fail(full, status.error());
    type = status->type;
  }
  switch (type) {
    case os::FileType::kDirectory:
      folders->push_back(entry.name);
      return;
    case os::FileType::kRegular:
      if (!scopes.empty()) Evaluate(directory, entry.name, full, false, scopes);
      return;
    case os::FileType::kSymlink: {
      if (scopes.empty()) return;
      // A link to a regular file is looked at under the link's own path; to a directory never, so
      // there are no loops.
      auto status = directory.StatusOf(entry.name, true);
      if (!status) return Fail(full, status.error());
      if (status->type == os::FileType::kRegular) {
        Evaluate(directory, entry.name, full, true, scopes);
      } else if (status->type == os::FileType::kDirectory) {
        skipped_.Add("linktodirectory", full);
      } else {
        skipped_.Add("special", full);
      }
      return;
    }
    default:
      if (!scopes.empty()) skipped_.Add("special", full);
      return;
  }
}

bool Walk::CheapAnswer(const Check& check, const std::string& name,
                       const os::FileStatus& status) const {
  switch (check.kind) {
    case CheckKind::kName:
      return check.Wanted(re2::RE2::PartialMatch(name, *check.regex));
    case CheckKind::kMode:
      return check.Wanted(re2::RE2::PartialMatch(ModeText(status), *check.regex));
    case CheckKind::kSize:
      return check.Wanted(status.size >= check.least && status.size <= check.most);
    case CheckKind::kMtime: {
      const std::int64_t edge =
          std::chrono::nanoseconds(now_.time_since_epoch()).count() - check.age.count();
      return check.Wanted(check.younger ? status.modified_ns > edge : status.modified_ns < edge);
    }
    case CheckKind::kContent:
    case CheckKind::kDigest:
      break;
  }
  return false;
}

void Walk::Evaluate(const os::Directory& directory, const std::string& name,
                    const std::string& path, bool follow, const std::vector<Scope>& scopes) {
  ++files_;
  // Names alone often decide, without asking the file system anything.
  std::optional<os::FileStatus> status;
  const auto stat = [&]() -> bool {
    if (status) return true;
    auto found = directory.StatusOf(name, follow);
    if (!found) {
      Fail(path, found.error());
      return false;
    }
    status = *found;
    return true;
  };

  struct Candidate {
    Running* running;
    std::vector<const Check*> yes;  // matchany: cheap checks that said yes
  };
  std::vector<Candidate> candidates;
  for (const Scope& scope : scopes) {
    if (scope.running->done()) continue;
    const Search& search = *scope.running->search;
    Candidate candidate{scope.running, {}};
    bool alive = true;
    for (std::size_t i = 0; i < search.cheap; ++i) {
      const Check& check = search.checks[i];
      if (check.kind != CheckKind::kName && !stat()) return;
      const bool yes = CheapAnswer(check, name, status.value_or(os::FileStatus()));
      if (search.matchall && !yes) {
        alive = false;
        break;
      }
      if (!search.matchall && yes) candidate.yes.push_back(&check);
    }
    if (alive && (search.matchall || search.needs_content() || !candidate.yes.empty())) {
      candidates.push_back(std::move(candidate));
    }
  }
  if (candidates.empty()) return;

  FileView raw;
  FileView unpacked;
  for (const Candidate& candidate : candidates) {
    const Search& search = *candidate.running->search;
    if (search.needs_content() || search.returnsha256) {
      (search.decompress ? unpacked : raw).Add(search);
    }
  }
  bool readable = true;
  if (!raw.empty() || !unpacked.empty()) {
    auto file = directory.OpenFile(name, follow);
    if (!file) {
      Fail(path, file.error());
      readable = false;
    } else {
      auto read =
          reader_.Read(*file, raw.empty() ? nullptr : &raw, unpacked.empty() ? nullptr : &unpacked);
      if (!read) {
        Fail(path, read.error());
        readable = false;
      } else {
        bytes_ += read->bytes;
        if (raw.saw_long_line() || unpacked.saw_long_line()) ++long_lines_;
      }
    }
  }
  if (!stat()) return;

  for (Candidate& candidate : candidates) {
    const Search& search = *candidate.running->search;
    const FileView& view = search.decompress ? unpacked : raw;
    // What could not be read is neither found nor not found: it is in `skipped`.
    if (search.needs_content() && !readable && search.matchall) continue;
    std::optional<Bytes> sha256;
    if (search.returnsha256 && readable) sha256 = view.DigestOf(DigestKind::kSha256);
    if (search.matchall) {
      bool all = true;
      for (std::size_t i = search.cheap; all && i < search.checks.size(); ++i) {
        all = view.Answer(search.checks[i]);
      }
      if (all && !Report(*candidate.running, path, *status, nullptr, sha256)) return;
      continue;
    }
    if (readable) {
      for (std::size_t i = search.cheap; i < search.checks.size(); ++i) {
        if (view.Answer(search.checks[i])) candidate.yes.push_back(&search.checks[i]);
      }
    }
    for (const Check* check : candidate.yes) {
      if (candidate.running->done()) break;
      if (!Report(*candidate.running, path, *status, check, sha256)) return;
    }
  }
}

std::string UpperHex(const Bytes& bytes) {
  std::string text = EncodeHex(bytes);
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// The `search` of a matchany element: just the check that said yes.
json::object OneCheck(const Check& check, const std::string& folder) {
  const std::string value =
      check.kind == CheckKind::kDigest ? UpperHex(check.expected) : check.value;
  return {{"paths", json::array{json::FromName(folder)}},
          {check.field, json::array{value}},
          {"options", json::object{{"maxdepth", 0},
                                   {"maxerrors", 0},
                                   {"matchall", false},
                                   {"macroal", false},
                                   {"mismatch", nullptr},
                                   {"matchlimit", 0}}}};
}

bool Walk::Report(Running& running, const std::string& path, const os::FileStatus& status,
                  const Check* check, const std::optional<Bytes>& sha256) {
  json::object info{{"size", json::FromUint(status.size)},
                    {"mode", ModeText(status)},
                    {"lastmodified", TimeText(status.modified_ns)}};
  if (sha256) info["sha256"] = UpperHex(*sha256);
  json::object element{
      {"file", json::FromName(path)},
      {"search", check == nullptr ? running.search->asked : OneCheck(*check, FolderOf(path))},
      {"fileinfo", std::move(info)}};
  if (!sink_.Emit(running.search->label, std::move(element))) {
    stopped_ = true;
    return false;
  }
  ++running.hits;
  ++total_hits_;
  if (check != nullptr) {
    ++running.check_hits[static_cast<std::size_t>(check - running.search->checks.data())];
  }
  return true;
}

// As MIG says "nothing": an element without a file.
json::object NothingFound(json::object search) {
  return {{"file", ""},
          {"search", std::move(search)},
          {"fileinfo", json::object{{"size", 0}, {"mode", ""}, {"lastmodified", ""}}}};
}

ModuleResult Walk::Run() {
  const auto start = std::chrono::steady_clock::now();
  for (const auto& [root, searches] : roots_) {
    if (AllDone()) break;
    if (!visited_roots_.contains(root)) WalkRoot(root);
  }
  ModuleResult result;
  json::object elements;
  json::array limited;
  for (const Running& running : running_) {
    const Search& search = *running.search;
    json::array nothing;
    if (search.matchall) {
      if (running.hits == 0) nothing.push_back(NothingFound(search.asked));
    } else {
      for (std::size_t i = 0; i < search.checks.size(); ++i) {
        if (running.check_hits[i] > 0) continue;
        json::object asked = OneCheck(search.checks[i], "/");
        asked["paths"] = search.asked.at("paths");
        nothing.push_back(NothingFound(std::move(asked)));
      }
    }
    elements[search.label] = std::move(nothing);
    if (running.done()) limited.emplace_back(search.label);
  }
  if (errors_dropped_ > 0) {
    errors_.push_back(std::to_string(errors_dropped_) + " errors were not returned (max errors = " +
                      std::to_string(max_errors_) + ")");
  }
  result.success = true;
  result.foundanything = total_hits_ > 0;
  result.elements = std::move(elements);
  result.errors = std::move(errors_);
  result.statistics =
      json::object{{"filescount", files_},
                   {"openfailed", open_failed_},
                   {"totalhits", total_hits_},
                   {"exectime", DurationText(std::chrono::steady_clock::now() - start)},
                   {"directories", directories_},
                   {"bytesread", json::FromUint(bytes_)},
                   {"skipped", skipped_.ToJson()},
                   {"followed", std::move(followed_)},
                   {"matchlimitreached", std::move(limited)},
                   {"longlines", long_lines_}};
  return result;
}

}  // namespace

ModuleResult RunSearches(std::vector<Search> searches, ElementSink& sink, UtcTime now) {
  return Walk(searches, sink, now).Run();
}

}  // namespace mig::file
