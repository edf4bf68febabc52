// What a run of file searches has to say: elements as they are found, and at the end what was
// looked at, what was not and why.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "modules/file/search.h"
#include "modules/result.h"
#include "os/file_status.h"

namespace mig::file {

// A search while it runs.
struct Running {
  const Search* search;
  std::uint64_t hits = 0;
  std::vector<std::uint64_t> check_hits;  // matchany: for each check

  bool done() const { return search->matchlimit != 0 && hits >= search->matchlimit; }
};

class Report {
 public:
  Report(const std::vector<Search>& searches, ElementSink& sink);

  std::vector<Running>& running() { return running_; }

  // A find: the file satisfies the search, or (matchany) this check of it. False when nobody takes
  // more: the run ends.
  bool Found(Running& running, const std::string& path, const os::FileStatus& status,
             const Check* check, const std::optional<Bytes>& sha256);

  // Not looked at, for a reason that is not a fault.
  void Skipped(std::string_view reason, const std::string& path);
  // Not looked at, because the system said no.
  void Failed(std::string_view reason, const std::string& path, const std::string& message);
  void Followed(const std::string& path, const std::string& target);
  void CountFile() { ++files_; }
  void CountDirectory() { ++directories_; }
  void CountBytes(std::uint64_t bytes) { bytes_ += bytes; }
  void CountLongLine() { ++long_lines_; }

  bool stopped() const { return stopped_; }

  ModuleResult Finish(std::chrono::nanoseconds duration) &&;

 private:
  struct Reason {
    std::uint64_t count = 0;
    std::vector<std::string> examples;
  };
  json::object SkippedJson() const;

  ElementSink& sink_;
  std::vector<Running> running_;
  std::uint64_t max_errors_ = 0;
  std::uint64_t files_ = 0, directories_ = 0, open_failed_ = 0, total_hits_ = 0, bytes_ = 0,
                long_lines_ = 0, errors_dropped_ = 0;
  std::vector<std::string> errors_;
  std::map<std::string, Reason, std::less<>> skipped_;
  json::array followed_;
  bool stopped_ = false;
};

}  // namespace mig::file
