#include "modules/file/content_feed.h"

namespace mig::file {

void ContentFeed::Begin(ContentSink* raw, ContentSink* inside, ContentSink* archive) {
  raw_ = raw;
  inside_ = inside;
  archive_ = archive;
  begun_ = false;
  head_.clear();
  format_ = nullptr;
  broken_.reset();
}

void ContentFeed::Feed(BytesView bytes, bool last) {
  if (Open(raw_)) raw_->Feed(bytes, last);
  if (!inside_open()) return;
  if (begun_ || (head_.empty() && (last || bytes.size() >= kPackedMagicBytes))) {
    return FeedInside(bytes, last);
  }
  head_.append(bytes);
  if (last || head_.size() >= kPackedMagicBytes) FeedInside(head_, last);
}

void ContentFeed::FeedInside(BytesView bytes, bool last) {
  if (!begun_) format_ = PackedFormatOf(bytes);
  const bool first = !begun_;
  begun_ = true;
  if (format_ == nullptr) return Pass(bytes, last);
  auto unpacked = first ? unpacker_.Begin(*format_) : Expected<void>();
  if (unpacked) unpacked = Unpack(bytes, last);
  if (!unpacked) broken_ = std::move(unpacked).error();
}

Expected<void> ContentFeed::Unpack(BytesView bytes, bool last) {
  auto fed = unpacker_.Feed(bytes, [&](BytesView unpacked) {
    Pass(unpacked, /*last=*/false);
    return inside_open();
  });
  if (!fed || !last || !inside_open()) return fed;
  if (auto whole = unpacker_.Finish(); !whole) return whole;
  Pass({}, /*last=*/true);
  return {};
}

void ContentFeed::Pass(BytesView bytes, bool last) {
  for (ContentSink* sink : {inside_, archive_}) {
    if (Open(sink)) sink->Feed(bytes, last);
  }
}

}  // namespace mig::file
