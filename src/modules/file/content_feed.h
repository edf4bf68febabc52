// Feeds one content, as its bytes come, to all who want it: as it is, and unpacked where it is
// packed.
#pragma once

#include <optional>

#include "modules/file/content_sink.h"
#include "modules/file/unpack.h"
#include "util/bytes.h"
#include "util/expected.h"

namespace mig::file {

// Serves one content after the other.
class ContentFeed {
 public:
  // A content begins. `inside` and `archive` get what a packed content (unpack_formats.h) holds,
  // and the bytes of any other as they are. Each may be null, and else must live to the end of it.
  void Begin(ContentSink* raw, ContentSink* inside, ContentSink* archive);
  // Somebody wants more.
  bool open() const { return Open(raw_) || inside_open(); }
  // The next bytes; `last` when there are no more, which may be all that is said.
  void Feed(BytesView bytes, bool last);

  bool packed() const { return format_ != nullptr; }
  // What is packed cannot be unpacked to its end: the sinks for it have nothing of use.
  const std::optional<Error>& broken() const { return broken_; }

 private:
  static bool Open(const ContentSink* sink) { return sink != nullptr && !sink->decided(); }
  bool inside_open() const { return !broken_ && (Open(inside_) || Open(archive_)); }
  void FeedInside(BytesView bytes, bool last);
  Expected<void> Unpack(BytesView bytes, bool last);
  void Pass(BytesView bytes, bool last);

  ContentSink* raw_ = nullptr;
  ContentSink* inside_ = nullptr;
  ContentSink* archive_ = nullptr;
  bool begun_ = false;  // enough has come to tell the format
  Bytes head_;          // until then
  const PackedFormat* format_ = nullptr;
  Unpacker unpacker_;
  std::optional<Error> broken_;
};

}  // namespace mig::file
