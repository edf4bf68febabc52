#include "modules/file/archive_scan.h"

#include "modules/file/zip_reader.h"

namespace mig::file {

ArchiveKind ArchiveKindOf(BytesView bytes) {
  if (BeginsZip(bytes)) return ArchiveKind::kZip;
  return TarReader::Begins(bytes.substr(0, kTarBlock)) ? ArchiveKind::kTar : ArchiveKind::kNone;
}

ArchiveScan::ArchiveScan(MemberVisitor* visitor) : visitor_(visitor) {
  if (visitor != nullptr) tar_.emplace(*visitor);
}

void ArchiveScan::Begin() {
  kind_ = ArchiveKind::kUnknown;
  decided_ = false;
  head_.clear();
  broken_.reset();
}

void ArchiveScan::Feed(BytesView bytes, bool last) {
  if (decided_) return;
  if (kind_ != ArchiveKind::kUnknown) return FeedTar(bytes, last);
  const bool at_once = head_.empty() && (last || bytes.size() >= kTarBlock);
  if (!at_once) {
    head_.append(bytes);
    if (head_.size() < kTarBlock && !last) return;
    bytes = head_;
  }
  kind_ = ArchiveKindOf(bytes);
  decided_ = kind_ != ArchiveKind::kTar || !tar_;
  if (decided_) return;
  tar_->Begin();
  FeedTar(bytes, last);
}

void ArchiveScan::Abandon(const Error& error) {
  if (decided_) return;
  if (kind_ == ArchiveKind::kTar) tar_->Abandon(error);
  broken_ = error;
  decided_ = true;
}

void ArchiveScan::FeedTar(BytesView bytes, bool last) {
  auto fed = tar_->Feed(bytes);
  if (fed && last) fed = tar_->Finish();
  if (!fed) broken_ = std::move(fed).error();
  decided_ = broken_.has_value() || tar_->ended();
}

}  // namespace mig::file
