// What a run of file searches has to say: elements as they are found, and at the end what was
// looked at, what was not and why. All workers of a run share it; what each of them counts for
// itself is file/tally.h.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "modules/file/search.h"
#include "modules/file/tally.h"
#include "modules/result.h"
#include "os/file_status.h"

namespace mig::file {

// A search while it runs.
class Running {
 public:
  Running(const Search& search, std::size_t index)
      : search_(search),
        index_(index),
        check_hits_(search.matchall ? 0 : search.checks.size(), 0) {}

  const Search& search() const { return search_; }
  std::size_t index() const { return index_; }  // among all of the run
  // It has found as many as it may. Any worker may ask.
  bool done() const { return done_.load(std::memory_order_relaxed); }

 private:
  friend class Report;
  const Search& search_;
  std::size_t index_;
  std::atomic<bool> done_{false};
  // Under the report's lock.
  std::uint64_t hits_ = 0;
  std::vector<std::uint64_t> check_hits_;  // matchany: for each check
};

// What a find's content has, by kind.
using Digests = std::vector<std::pair<DigestKind, Bytes>>;

class Report {
 public:
  Report(const std::vector<Search>& searches, std::vector<Unanswerable> unanswerable,
         ElementSink& sink);

  std::deque<Running>& running() { return running_; }
  // How many errors in words a run returns.
  std::uint64_t max_errors() const { return max_errors_; }

  // A find: the file satisfies the search, or (matchany) this check of it. Nothing when the search
  // has found as many as it may, also by another worker just now. False when nobody takes more: the
  // run ends. `extra` joins the `fileinfo`.
  bool Found(Running& running, const std::string& path, const os::FileStatus& status,
             const Check* check, const Digests& digests, const json::object& extra);

  void Followed(const std::string& path, const std::string& target);

  // Nothing more is to be looked for: nobody takes more, or no search may find more.
  bool ended() const { return ended_.load(std::memory_order_relaxed); }

  // How much of its scope each search has seen, by label.
  json::object CoverageJson(const Tally& tally, bool* all) const;

  // `tally` is what all workers counted together.
  ModuleResult Finish(std::chrono::nanoseconds duration, Tally tally) &&;

 private:
  std::vector<Unanswerable> unanswerable_;
  std::deque<Running> running_;
  std::uint64_t max_errors_ = 0;
  json::array followed_;

  std::mutex lock_;
  ElementSink& sink_;
  std::uint64_t total_hits_ = 0;
  std::size_t open_searches_ = 0;
  bool refused_ = false;  // nobody takes more
  std::atomic<bool> ended_{false};
};

}  // namespace mig::file
