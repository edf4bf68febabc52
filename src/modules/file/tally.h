// What one worker of a run has looked at, and what it has not and why.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "util/json.h"

namespace mig::file {

class Tally {
 public:
  // Keeps so many errors in words; the others are counted.
  explicit Tally(std::uint64_t max_errors) : max_errors_(max_errors) {}

  // Not looked at, for a reason that is not a fault.
  void Skipped(std::string_view reason, const std::string& path);
  // Not looked at, because the system said no.
  void Failed(std::string_view reason, const std::string& path, const std::string& message);
  void CountFile() { ++files_; }
  // Folders, links and the like, looked at as themselves.
  void CountOther() { ++others_; }
  void CountDirectory() { ++directories_; }
  void CountBytes(std::uint64_t bytes) { bytes_ += bytes; }
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
  std::uint64_t files_ = 0, others_ = 0, directories_ = 0, open_failed_ = 0, bytes_ = 0,
                long_lines_ = 0, errors_dropped_ = 0;
  std::vector<std::string> errors_;
  std::map<std::string, Reason, std::less<>> skipped_;
};

}  // namespace mig::file
