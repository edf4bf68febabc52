// One file that the walk has come by, as much of it as was needed so far.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "modules/file/evaluation.h"
#include "modules/file/reader.h"
#include "modules/file/subject.h"
#include "modules/file/tally.h"
#include "os/file_walk.h"
#include "os/held_files.h"

namespace mig::file {

class FileInHand : public Subject {
 public:
  // All must outlive this. `follow`: of what a link points to. `held`: it has no name, and is
  // reached through its process.
  FileInHand(const os::WalkEntry& entry, bool follow, Tally& tally,
             const os::HeldFile* held = nullptr)
      : entry_(entry),
        held_(held),
        follow_(follow),
        tally_(tally),
        metadata_(entry.folder, entry.name, follow) {}

  Metadata& metadata() { return metadata_; }

  std::string_view NameFor(const Scope& scope) const override;
  std::string PathFor(const Scope& scope) const override;
  std::string Shown() const override { return entry_.Path(); }
  Answer AnswerTo(const Check& check, std::string_view base_name, UtcTime now) override;
  const os::FileStatus* Status() override;
  json::object Extra(const Search& search, const Names& names) override;

  // Reads it for whoever wants its content; `archive` may be null. What cannot be read is reported.
  Readable Read(FileReader& reader, FileView& raw, FileView& unpacked, ArchiveScan* archive);

 private:
  bool Fail(const Error& error);

  const os::WalkEntry& entry_;
  const os::HeldFile* held_;
  bool follow_;
  Tally& tally_;
  Metadata metadata_;
  bool failed_ = false;                     // which is reported once a file
  std::set<std::string_view> unsupported_;  // what has been reported of it
};

}  // namespace mig::file
