// What one worker of a run has looked at, and what it has not and why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "util/expected.h"
#include "util/json.h"

namespace mig::file {

// How much of its scope a search has seen. A folder that could not be looked into is one thing
// missed, whatever lies in it: nobody knows.
struct Coverage {
  std::uint64_t looked_at = 0;  // entries for which it has its answer
  std::uint64_t missed = 0;     // entries, folders and paths for which it has not
};

// What the statistics call it when the system's answer was such an error.
std::string_view SkipReason(Errc code);

class Tally {
 public:
  // Keeps so many errors in words; the others are counted.
  Tally(std::uint64_t max_errors, std::size_t searches)
      : max_errors_(max_errors), coverage_(searches) {}

  // Of one search, by Running::index().
  void LookedAt(std::size_t search) { ++coverage_[search].looked_at; }
  void Missed(std::size_t search) { ++coverage_[search].missed; }
  // It was counted as looked at, too early.
  void MissedAfterAll(std::size_t search) {
    --coverage_[search].looked_at;
    ++coverage_[search].missed;
  }
  const Coverage& coverage(std::size_t search) const { return coverage_[search]; }

  // Not looked at, for a reason that is not a fault.
  void Skipped(std::string_view reason, const std::string& path);
  // Not looked at, because the system said no.
  void Failed(std::string_view reason, const std::string& path, const std::string& message);
  void CountFile() { ++files_; }
  // Folders, links and the like, looked at as themselves.
  void CountOther() { ++others_; }
  // Of archives.
  void CountMember() { ++members_; }
  void CountDirectory() { ++directories_; }
  void CountBytes(std::uint64_t bytes) { bytes_ += bytes; }
  // For each digest, as often as a byte went into one.
  void CountHashed(std::uint64_t bytes) { hashed_ += bytes; }
  void CountLongLine() { ++long_lines_; }

  // What another worker has counted, behind what stands here.
  void Add(Tally&& other);

  // The errors, the last of them saying how many are not there.
  std::vector<std::string> TakeErrors();
  // What MIG's statistics have and ours beside them.
  json::object Statistics() const;

 private:
  struct Reason {
    std::uint64_t count = 0;
    std::vector<std::string> examples;
  };

  std::uint64_t max_errors_;
  std::uint64_t files_ = 0, others_ = 0, members_ = 0, directories_ = 0, open_failed_ = 0,
                bytes_ = 0, hashed_ = 0, long_lines_ = 0, errors_dropped_ = 0;
  std::vector<Coverage> coverage_;
  std::vector<std::string> errors_;
  std::map<std::string, Reason, std::less<>> skipped_;
};

}  // namespace mig::file
