// One worker of a run: looks at what the walk comes by, and at what processes hold, for the
// searches that are in scope there.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "modules/file/archive_visit.h"
#include "modules/file/evaluation.h"
#include "modules/file/file_in_hand.h"
#include "modules/file/read_pace.h"
#include "modules/file/reader.h"
#include "modules/file/report.h"
#include "modules/file/scope.h"
#include "modules/file/tally.h"
#include "os/file_walk.h"
#include "os/held_files.h"

namespace mig::file {

class Visitor : public os::WalkVisitor, public os::HeldFileVisitor {
 public:
  // `held_roots` are those of searches for files that processes hold.
  Visitor(const std::vector<Root>& roots, const std::vector<Root>& held_roots,
          const RunFacts& facts, Report& report, ReadPace& pace);

  os::WalkScopePtr Enter(const os::WalkFolder& folder, const os::WalkScopePtr& above) override;
  os::WalkScopePtr Cross(const os::WalkFolder& folder, const os::WalkMount& mount,
                         const os::WalkScopePtr& scope) override;
  bool WantsFolders() const override { return wants_folders_; }
  void Entered(const os::WalkFolder&) override { tally_.CountDirectory(); }
  bool Visit(const os::WalkEntry& entry, std::span<const std::size_t> roots,
             const os::WalkScope* scope) override;
  void Skipped(os::WalkSkip why, std::string_view path, const os::WalkScope* scope) override;
  void Failed(std::string_view path, int error_number, const os::WalkScope* scope) override;

  bool Visit(const os::HeldFile& file) override;
  void Failed(const std::string& path, int error_number) override;

  Tally&& TakeTally() { return std::move(tally_); }

 private:
  void Missed(const Scopes& scopes);
  // Without a scope the walk had not begun there: then it may be anybody's.
  void Missed(const os::WalkScope* scope);
  void AddScopes(std::size_t root, int depth, Scopes& scopes) const;
  void AddFileScopes(std::span<const std::size_t> roots, const os::WalkEntry& entry,
                     Scopes& scopes) const;
  void VisitLink(const os::WalkEntry& entry, const Scopes& scopes);
  Scopes VisitItself(const os::WalkEntry& entry, const Scopes& scopes);
  Scopes WithoutExcluded(const Scopes& scopes, const std::string& path, bool count);
  // `has_content`: it is a regular file.
  void Evaluate(FileInHand& file, const Scopes& scopes, bool has_content);

  const std::vector<Root>& roots_;
  const std::vector<Root>& held_roots_;
  Report& report_;
  Tally tally_;
  bool wants_folders_ = false;
  FileReader reader_;
  Evaluation evaluation_;
  ArchiveVisit archive_;
};

}  // namespace mig::file
