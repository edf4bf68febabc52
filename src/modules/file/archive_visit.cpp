#include "modules/file/archive_visit.h"

#include <algorithm>

namespace mig::file {
namespace {

// Why its content does not come, as the statistics call it; empty: it does, if it has any.
std::string_view WhyWithheld(const Member& member) {
  return member.hard_link ? "linkinarchive" : member.withheld;
}

}  // namespace

ArchiveVisit::ArchiveVisit(const RunFacts& facts, Report& report, Tally& tally)
    : report_(report), tally_(tally), scan_(this), evaluation_(facts, report, tally) {}

bool ArchiveVisit::Begin(const Subject& file, const Scopes& scopes) {
  file_ = &file;
  scopes_.clear();
  for (const Scope& scope : scopes) {
    if (scope.running->search().archives && !scope.running->done()) scopes_.push_back(scope);
  }
  return !scopes_.empty();
}

void ArchiveVisit::Finish(bool whole) {
  if (!whole) Missed();
}

void ArchiveVisit::Missed() {
  for (const Scope& scope : scopes_) tally_.Missed(scope.running->index());
}

MemberVisitor::Want ArchiveVisit::Begin(const Member& member) {
  const auto done = [](const Scope& scope) { return scope.running->done(); };
  if (report_.ended() || std::all_of(scopes_.begin(), scopes_.end(), done)) return Want::kNoMore;
  tally_.CountMember();
  member_ = member;
  in_hand_.emplace(*file_, *member_, tally_);
  const bool regular = member.type == os::FileType::kRegular;
  wanting_.clear();
  for (const Scope& scope : scopes_) {
    // As of files: only a search for entries as themselves looks at what is no regular file.
    if (regular || scope.running->search().entries) wanting_.push_back(scope);
  }
  if (wanting_.size() < scopes_.size() && member.type != os::FileType::kDirectory) {
    const bool link = member.type == os::FileType::kSymlink;
    tally_.Skipped(link ? "linkinarchive" : "special", in_hand_->Shown());
  }
  evaluation_.Begin(*in_hand_, wanting_, regular);
  fed_ = regular && WhyWithheld(member).empty();
  if (!fed_) return Want::kNoContent;
  // Whoever wants nothing of it still has to know whether it is an archive itself.
  const bool wanted = evaluation_.wants_content();
  nested_.Begin();
  feed_.Begin(wanted && !evaluation_.raw().empty() ? &evaluation_.raw() : nullptr,
              wanted && !evaluation_.unpacked().empty() ? &evaluation_.unpacked() : nullptr,
              &nested_);
  return Want::kContent;
}

bool ArchiveVisit::Content(BytesView bytes) {
  feed_.Feed(bytes, /*last=*/false);
  return feed_.open();
}

void ArchiveVisit::End() {
  if (fed_ && feed_.open()) feed_.Feed({}, /*last=*/true);
  if (fed_ && feed_.broken()) {
    tally_.Failed(SkipReason(feed_.broken()->code()), in_hand_->Shown(), feed_.broken()->message());
  }
  Conclude(/*readable=*/true);
}

void ArchiveVisit::Broken(const Error& error) {
  tally_.Failed(SkipReason(error.code()), in_hand_->Shown(), error.message());
  Conclude(/*readable=*/false);
}

void ArchiveVisit::Conclude(bool readable) {
  const std::string_view withheld = WhyWithheld(*member_);
  if (!withheld.empty() && evaluation_.wants_content()) {
    tally_.Skipped(withheld, in_hand_->Shown());
  }
  readable = readable && fed_;
  if (readable) tally_.CountHashed(evaluation_.raw().hashed() + evaluation_.unpacked().hashed());
  if (evaluation_.raw().saw_long_line() || evaluation_.unpacked().saw_long_line()) {
    tally_.CountLongLine();
  }
  const bool inside = readable && !feed_.broken();
  const bool nested =
      fed_ && (nested_.kind() == ArchiveKind::kTar || nested_.kind() == ArchiveKind::kZip);
  evaluation_.Conclude({readable, inside, true});
  if (nested) {
    tally_.Skipped("nestedarchive", in_hand_->Shown());
    Missed();
  }
}

}  // namespace mig::file
