// The members of one archive after the other, each looked at as a file of its own by the searches
// that look into archives.
#pragma once

#include <optional>
#include <string>

#include "modules/file/archive_scan.h"
#include "modules/file/content_feed.h"
#include "modules/file/evaluation.h"
#include "modules/file/member.h"
#include "modules/file/member_in_hand.h"
#include "modules/file/subject.h"
#include "modules/file/tally.h"

namespace mig::file {

class ArchiveVisit : public MemberVisitor {
 public:
  // All must outlive this.
  ArchiveVisit(const RunFacts& facts, Report& report, Tally& tally);

  // A file, which may be an archive. False: no search in these scopes looks into any.
  bool Begin(const Subject& file, const Scopes& scopes);
  // What its content is to be fed to.
  ArchiveScan& scan() { return scan_; }
  // `whole`: if it is an archive, all members have been seen.
  void Finish(bool whole);

  Want Begin(const Member& member) override;
  bool Content(BytesView bytes) override;
  void End() override;
  void Broken(const Error& error) override;

 private:
  void Missed();
  void Conclude(bool readable);

  Report& report_;
  Tally& tally_;
  ArchiveScan scan_;
  Evaluation evaluation_;
  ContentFeed feed_;
  ArchiveScan nested_{nullptr};
  const Subject* file_ = nullptr;
  Scopes scopes_;   // those of searches that look into archives
  Scopes wanting_;  // of these, those that look at the member in hand
  std::optional<Member> member_;
  std::optional<MemberInHand> in_hand_;
  bool fed_ = false;  // its content comes
};

}  // namespace mig::file
