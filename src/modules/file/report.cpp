#include "modules/file/report.h"

#include <algorithm>

#include "modules/mig_text.h"
#include "util/encoding.h"

namespace mig::file {
namespace {

constexpr std::size_t kMaxErrorsKept = 10'000;  // when a search asks for all of them
// Of the checks of one search that nothing answered so many are listed, as MIG lists all; the
// others are counted. A thousand digests from a list would fill the answer with what is not there.
constexpr std::size_t kMostListed = 64;

std::string UpperHex(const Bytes& bytes) {
  std::string text = EncodeHex(bytes);
  for (char& c : text) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string FolderOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// The `search` of a matchany element: just the check that said yes.
json::object OneCheck(const Check& check, json::array paths) {
  const std::string value =
      check.kind == CheckKind::kDigest ? UpperHex(check.expected) : check.value;
  return {{"paths", std::move(paths)},
          {check.field, json::array{value}},
          {"options", json::object{{"maxdepth", 0},
                                   {"maxerrors", 0},
                                   {"matchall", false},
                                   {"macroal", false},
                                   {"mismatch", nullptr},
                                   {"matchlimit", 0}}}};
}

// As MIG says "nothing": an element without a file.
json::object NothingFound(json::object search) {
  return {{"file", ""},
          {"search", std::move(search)},
          {"fileinfo", json::object{{"size", 0}, {"mode", ""}, {"lastmodified", ""}}}};
}

}  // namespace

Report::Report(const std::vector<Search>& searches, std::vector<Unanswerable> unanswerable,
               ElementSink& sink)
    : unanswerable_(std::move(unanswerable)), sink_(sink) {
  bool all_errors = false;
  for (const Search& search : searches) {
    running_.emplace_back(search, running_.size());
    all_errors = all_errors || search.maxerrors == 0;
    max_errors_ = std::max(max_errors_, search.maxerrors);
  }
  if (all_errors) max_errors_ = kMaxErrorsKept;
  open_searches_ = running_.size();
}

bool Report::Found(Running& running, const std::string& path, const os::FileStatus& status,
                   const Check* check, const Digests& digests, const json::object& extra) {
  if (running.done() || ended()) return !ended();
  const Search& search = running.search();
  json::object info{
      {"size", json::FromUint(status.size)},
      {"mode", ModeText(status)},
      {"lastmodified", TimeText(status.modified.seconds, status.modified.nanoseconds)}};
  for (const auto& [kind, value] : digests) info[DigestName(kind)] = UpperHex(value);
  for (const auto& member : extra) info[member.key()] = member.value();
  json::object asked = check != nullptr
                           ? OneCheck(*check, json::array{json::FromName(FolderOf(path))})
                           : search.repeated;
  json::object element{
      {"file", json::FromName(path)}, {"search", std::move(asked)}, {"fileinfo", std::move(info)}};

  const std::lock_guard held(lock_);
  if (running.done() || ended()) return !ended();
  if (!sink_.Emit(search.label, std::move(element))) {
    ended_ = refused_ = true;
    return false;
  }
  ++total_hits_;
  if (check != nullptr) {
    ++running.check_hits_[static_cast<std::size_t>(check - search.checks.data())];
  }
  if (++running.hits_ == search.matchlimit) {
    running.done_ = true;
    if (--open_searches_ == 0) ended_ = true;
  }
  return !ended();
}

void Report::Followed(const std::string& path, const std::string& target) {
  followed_.push_back(json::object{{"path", json::FromName(path)}, {"to", json::FromName(target)}});
}

json::object Report::CoverageJson(const Tally& tally, bool* all) const {
  json::object searches;
  *all = unanswerable_.empty();
  for (const Running& running : running_) {
    const Coverage& seen = tally.coverage(running.index());
    const bool complete = seen.missed == 0 && !running.done() && !refused_;
    *all = *all && complete;
    searches[running.search().label] = json::object{{"complete", complete},
                                                    {"lookedat", json::FromUint(seen.looked_at)},
                                                    {"missed", json::FromUint(seen.missed)}};
  }
  return searches;
}

ModuleResult Report::Finish(std::chrono::nanoseconds duration, Tally tally) && {
  ModuleResult result;
  json::object elements;
  json::array limited;
  json::object unlisted;
  for (const Running& running : running_) {
    const Search& search = running.search();
    json::array nothing;
    std::uint64_t without = 0;  // checks that found nothing, beyond those that are listed
    if (search.matchall) {
      if (running.hits_ == 0) nothing.push_back(NothingFound(search.repeated));
    } else {
      for (std::size_t i = 0; i < search.checks.size(); ++i) {
        if (running.check_hits_[i] > 0) continue;
        if (nothing.size() == kMostListed) {
          ++without;
          continue;
        }
        nothing.push_back(
            NothingFound(OneCheck(search.checks[i], search.repeated.at("paths").as_array())));
      }
    }
    elements[search.label] = std::move(nothing);
    if (without > 0) unlisted[search.label] = without;
    if (running.done()) limited.emplace_back(search.label);
  }
  result.success = !running_.empty();
  result.foundanything = total_hits_ > 0;
  result.elements = std::move(elements);
  result.errors = tally.TakeErrors();
  json::object statistics = tally.Statistics();
  // Not among "nothing found": nobody looked.
  json::object unanswerable;
  for (const Unanswerable& search : unanswerable_) {
    result.elements.get_object()[search.label] = json::array();
    result.errors.push_back("ERROR: search '" + search.label + "': " + search.message);
    unanswerable[search.label] = search.message;
  }
  if (!unanswerable.empty()) statistics["unanswerable"] = std::move(unanswerable);
  bool complete = false;
  statistics["coverage"] = CoverageJson(tally, &complete);
  statistics["complete"] = complete;
  statistics["totalhits"] = total_hits_;
  statistics["exectime"] = DurationText(duration);
  statistics["followed"] = std::move(followed_);
  statistics["matchlimitreached"] = std::move(limited);
  if (!unlisted.empty()) statistics["checksnotlisted"] = std::move(unlisted);
  result.statistics = std::move(statistics);
  return result;
}

}  // namespace mig::file
