#include "modules/file/run.h"

#include <algorithm>
#include <memory>
#include <set>

#include "modules/file/metadata.h"
#include "modules/file/read_pace.h"
#include "modules/file/report.h"
#include "modules/file/scope.h"
#include "modules/file/tally.h"
#include "modules/file/visitor.h"
#include "os/file_walk.h"
#include "os/held_files.h"

namespace mig::file {
namespace {

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
        tally.Failed(absent ? "missing" : SkipReason(real.error().code()), given,
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
  const LiteralSet literals = ContentLiterals(searches);
  const RunFacts facts{names, literals, now};
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
    visitors.push_back(std::make_unique<Visitor>(roots, held_roots, facts, report, pace));
    workers.push_back(visitors.back().get());
  }
  os::WalkFiles(places, os::OwnMounts(), workers);
  if (!held_roots.empty() && !report.ended()) {
    if (auto seen = os::VisitHeldFiles(*visitors.front()); !seen) {
      tally.Failed(SkipReason(seen.error().code()), "/proc", seen.error().message());
      for (const Running& running : report.running()) {
        if (running.search().deleted) tally.Missed(running.index());
      }
    }
  }
  for (const auto& visitor : visitors) tally.Add(visitor->TakeTally());
  return std::move(report).Finish(std::chrono::steady_clock::now() - start, std::move(tally));
}

}  // namespace mig::file
