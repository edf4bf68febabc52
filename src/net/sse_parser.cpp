#include "net/sse_parser.h"

#include <utility>

namespace mig {

Expected<std::vector<SseEvent>> SseParser::Feed(BytesView bytes) {
  std::vector<SseEvent> events;
  while (!bytes.empty()) {
    if (std::exchange(after_cr_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = bytes.find_first_of("\r\n");
    const std::string_view piece = bytes.substr(0, end);
    if (line_.size() + piece.size() + data_.size() + event_.size() > max_event_bytes_) {
      return Error(Errc::kFull, "an event of the stream is larger than " +
                                    std::to_string(max_event_bytes_) + " bytes");
    }
    line_ += piece;
    if (end == std::string_view::npos) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    std::string_view line = line_;
    if (std::exchange(at_start_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    Line(line, events);
    line_.clear();
  }
  return events;
}

void SseParser::Line(std::string_view line, std::vector<SseEvent>& events) {
  if (line.empty()) {  // dispatches, unless there was no data
    if (has_data_) {
      data_.pop_back();  // the \n behind the last line
      events.push_back({event_.empty() ? "message" : std::move(event_), last_event_id_,
                        std::exchange(data_, {})});
    }
    event_.clear();
    has_data_ = false;
    return;
  }
  const auto colon = line.find(':');
  if (colon == 0) return;  // a comment
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "data") {
    data_ += value;
    data_ += '\n';
    has_data_ = true;
  } else if (field == "event") {
    event_ = value;
  } else if (field == "id") {
    if (value.find('\0') == std::string_view::npos) last_event_id_ = value;
  }
}

}  // namespace mig
