#include "modules/frames.h"

#include "util/text.h"

namespace mig {
namespace {

constexpr char kElementType = 1;
constexpr char kSummaryType = 2;
constexpr std::size_t kLengthBytes = 4;

void AppendUint(Bytes& out, std::size_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((number >> shift) & 0xFFu));
  }
}

std::size_t ReadUint(BytesView bytes) {
  std::size_t number = 0;
  for (const char c : bytes) number = (number << 8) | static_cast<unsigned char>(c);
  return number;
}

Bytes EncodeFrame(char type, BytesView head, BytesView text) {
  Bytes frame;
  frame.reserve(kLengthBytes + 1 + head.size() + text.size());
  AppendUint(frame, 1 + head.size() + text.size(), 4);
  frame.push_back(type);
  frame.append(head);
  frame.append(text);
  return frame;
}

Expected<Frame> DecodeElement(BytesView body) {
  if (body.size() < 2) return Error(Errc::kMalformed, "element frame: no label length");
  const std::size_t label_bytes = ReadUint(body.substr(0, 2));
  body.remove_prefix(2);
  if (label_bytes > kMaxLabelBytes || label_bytes > body.size()) {
    return Error(Errc::kMalformed,
                 "element frame: label of " + std::to_string(label_bytes) + " bytes");
  }
  ElementFrame element;
  element.label = body.substr(0, label_bytes);
  body.remove_prefix(label_bytes);
  if (!IsUtf8(element.label)) return Error(Errc::kMalformed, "element frame: label is not UTF-8");
  auto value = json::Parse(body);
  if (!value) return std::move(value).error().During("element frame");
  element.element = std::move(*value);
  element.encoded_bytes = body.size();
  Frame frame;
  frame.element = std::move(element);
  return frame;
}

Expected<Frame> DecodeSummary(BytesView body) {
  auto fields = json::ParseObject(body);
  if (!fields) return std::move(fields).error().During("summary frame");
  auto result = ResultFromJson(*fields);
  if (!result) return std::move(result).error().During("summary frame");
  Frame frame;
  frame.summary = std::move(*result);
  return frame;
}

}  // namespace

Expected<Bytes> EncodeElement(std::string_view label, const json::value& element) {
  return EncodeElementText(label, json::Write(element));
}

Expected<Bytes> EncodeElementText(std::string_view label, BytesView text) {
  if (label.size() > kMaxLabelBytes) {
    return Error(Errc::kFull, "a label of " + std::to_string(label.size()) + " bytes");
  }
  Bytes head;
  AppendUint(head, label.size(), 2);
  head.append(label);
  if (1 + head.size() + text.size() > kMaxFrameBytes) {
    return Error(Errc::kFull, "an element of " + std::to_string(text.size()) + " bytes");
  }
  return EncodeFrame(kElementType, head, text);
}

Bytes EncodeSummary(const ModuleResult& summary) {
  std::string text = json::Write(ToJson(summary));
  if (1 + text.size() <= kMaxFrameBytes) return EncodeFrame(kSummaryType, {}, text);

  // Errors are what grows: keep as many as fit into half of the frame.
  ModuleResult shorter = summary;
  shorter.errors.clear();
  std::size_t used = 0;
  for (const std::string& error : summary.errors) {
    used += json::Write(json::value(error)).size() + 1;
    if (used > kMaxFrameBytes / 2) break;
    shorter.errors.push_back(error);
  }
  const std::size_t left_out = summary.errors.size() - shorter.errors.size();
  if (left_out > 0) {
    shorter.errors.push_back(std::to_string(left_out) + " more errors did not fit into the answer");
  }
  text = json::Write(ToJson(shorter));
  if (1 + text.size() > kMaxFrameBytes) {
    shorter.statistics = nullptr;
    shorter.errors.push_back("the statistics did not fit into the answer");
    text = json::Write(ToJson(shorter));
  }
  if (1 + text.size() > kMaxFrameBytes) {
    shorter.elements = nullptr;
    shorter.success = false;
    shorter.errors.push_back("the elements of the summary did not fit into the answer");
    text = json::Write(ToJson(shorter));
  }
  return EncodeFrame(kSummaryType, {}, text);
}

Expected<void> FrameDecoder::Feed(BytesView bytes) {
  if (error_) return *error_;
  if (finished_ && !bytes.empty()) {
    error_.emplace(Errc::kMalformed, "bytes after the summary frame");
    return *error_;
  }
  if (start_ > 0 && start_ >= pending_.size() / 2) {
    pending_.erase(0, start_);
    start_ = 0;
  }
  pending_.append(bytes);
  return {};
}

Expected<std::optional<Frame>> FrameDecoder::Next() {
  if (error_) return *error_;
  const BytesView rest = BytesView(pending_).substr(start_);
  if (rest.size() < kLengthBytes) {
    if (finished_ && !rest.empty()) return Fail("bytes after the summary frame");
    return std::optional<Frame>();
  }
  if (finished_) return Fail("bytes after the summary frame");
  const std::size_t length = ReadUint(rest.substr(0, kLengthBytes));
  if (length == 0 || length > kMaxFrameBytes) {
    return Fail("a frame of " + std::to_string(length) + " bytes");
  }
  if (rest.size() < kLengthBytes + length) return std::optional<Frame>();
  const BytesView body = rest.substr(kLengthBytes + 1, length - 1);
  const char type = rest[kLengthBytes];
  if (type != kElementType && type != kSummaryType) {
    return Fail("a frame of unknown type " + std::to_string(static_cast<unsigned char>(type)));
  }
  auto frame = type == kElementType ? DecodeElement(body) : DecodeSummary(body);
  if (!frame) {
    error_ = std::move(frame).error();
    return *error_;
  }
  start_ += kLengthBytes + length;
  finished_ = type == kSummaryType;
  return std::optional<Frame>(std::move(*frame));
}

Error FrameDecoder::Fail(std::string message) {
  error_.emplace(Errc::kMalformed, std::move(message));
  return *error_;
}

}  // namespace mig
