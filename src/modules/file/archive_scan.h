// Tells from its first bytes whether a content is an archive, and shows the members of one that
// comes as a stream to a visitor.
#pragma once

#include <optional>

#include "modules/file/content_sink.h"
#include "modules/file/member.h"
#include "modules/file/tar_reader.h"

namespace mig::file {

enum class ArchiveKind {
  kUnknown,  // not enough of it has come
  kNone,
  kTar,
  kZip,
};

// `bytes` are the first of a content, kTarBlock of them or all that there are.
ArchiveKind ArchiveKindOf(BytesView bytes);

// Serves one content after the other.
class ArchiveScan : public ContentSink {
 public:
  // With a visitor, which must outlive this, the members of a tar are shown to it. Without, it only
  // tells. A zip's cannot be shown from a stream (zip_reader.h).
  explicit ArchiveScan(MemberVisitor* visitor);

  // A content begins.
  void Begin();
  void Feed(BytesView bytes, bool last) override;
  bool decided() const override { return decided_; }
  // No more of it will come, because of this error.
  void Abandon(const Error& error);

  ArchiveKind kind() const { return kind_; }
  MemberVisitor* visitor() const { return visitor_; }
  // The archive could not be read to its end.
  const std::optional<Error>& broken() const { return broken_; }

 private:
  void FeedTar(BytesView bytes, bool last);

  MemberVisitor* visitor_;
  std::optional<TarReader> tar_;
  ArchiveKind kind_ = ArchiveKind::kUnknown;
  bool decided_ = false;
  Bytes head_;  // until the kind is known
  std::optional<Error> broken_;
};

}  // namespace mig::file
