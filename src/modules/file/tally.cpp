#include "modules/file/tally.h"

namespace mig::file {
namespace {

constexpr std::size_t kExamples = 3;

}  // namespace

std::string_view SkipReason(Errc code) {
  if (code == Errc::kDenied) return "permission";
  if (code == Errc::kFull) return "toolarge";
  return code == Errc::kNotFound ? "vanished" : "unreadable";
}

void Tally::Skipped(std::string_view reason, const std::string& path) {
  auto entry = skipped_.find(reason);
  if (entry == skipped_.end()) entry = skipped_.emplace(std::string(reason), Reason()).first;
  ++entry->second.count;
  if (entry->second.examples.size() < kExamples) entry->second.examples.push_back(path);
}

void Tally::Failed(std::string_view reason, const std::string& path, const std::string& message) {
  ++open_failed_;
  Skipped(reason, path);
  if (errors_.size() < max_errors_) {
    errors_.push_back("ERROR: " + path + ": " + message);
  } else {
    ++errors_dropped_;
  }
}

void Tally::Add(Tally&& other) {
  files_ += other.files_;
  others_ += other.others_;
  members_ += other.members_;
  directories_ += other.directories_;
  open_failed_ += other.open_failed_;
  bytes_ += other.bytes_;
  hashed_ += other.hashed_;
  for (std::size_t i = 0; i < coverage_.size(); ++i) {
    coverage_[i].looked_at += other.coverage_[i].looked_at;
    coverage_[i].missed += other.coverage_[i].missed;
  }
  long_lines_ += other.long_lines_;
  errors_dropped_ += other.errors_dropped_;
  for (std::string& error : other.errors_) {
    if (errors_.size() < max_errors_) {
      errors_.push_back(std::move(error));
    } else {
      ++errors_dropped_;
    }
  }
  for (auto& [reason, theirs] : other.skipped_) {
    Reason& ours = skipped_[reason];
    ours.count += theirs.count;
    for (std::string& example : theirs.examples) {
      if (ours.examples.size() < kExamples) ours.examples.push_back(std::move(example));
    }
  }
}

std::vector<std::string> Tally::TakeErrors() {
  if (errors_dropped_ > 0) {
    errors_.push_back(std::to_string(errors_dropped_) + " errors were not returned (max errors = " +
                      std::to_string(max_errors_) + ")");
  }
  return std::move(errors_);
}

json::object Tally::Statistics() const {
  json::object skipped;
  for (const auto& [reason, entry] : skipped_) {
    json::array examples;
    for (const std::string& path : entry.examples) examples.push_back(json::FromName(path));
    skipped[reason] = json::object{{"count", entry.count}, {"examples", std::move(examples)}};
  }
  return {{"filescount", files_},
          {"others", others_},
          {"members", members_},
          {"openfailed", open_failed_},
          {"directories", directories_},
          {"bytesread", json::FromUint(bytes_)},
          {"byteshashed", json::FromUint(hashed_)},
          {"skipped", std::move(skipped)},
          {"longlines", long_lines_}};
}

}  // namespace mig::file
