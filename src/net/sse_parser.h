// Server-sent events, read piece by piece as they arrive (WHATWG HTML, section 9.2.6 "Interpreting
// an event stream"). Pure: bytes in, events out. Who reads the socket is net/http_client.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/bytes.h"
#include "util/expected.h"

namespace mig {

struct SseEvent {
  std::string event;  // "message" where the stream names none
  std::string id;     // the last id seen, with this event or an earlier one: Last-Event-ID
  std::string data;   // lines joined by \n
};

class SseParser {
 public:
  // Bounds one event with all its lines, and thereby what the parser holds.
  explicit SseParser(std::size_t max_event_bytes = std::size_t{1} << 20)
      : max_event_bytes_(max_event_bytes) {}

  // The events that `bytes` completes, in order. Error: kFull for an event above the bound; the
  // stream is of no use afterwards. Comments and `retry` fields are passed over.
  Expected<std::vector<SseEvent>> Feed(BytesView bytes);

  const std::string& last_event_id() const { return last_event_id_; }

 private:
  void Line(std::string_view line, std::vector<SseEvent>& events);

  const std::size_t max_event_bytes_;
  std::string line_;       // so far, without its end
  bool after_cr_ = false;  // a \n that follows belongs to the end before
  bool at_start_ = true;   // where a byte order mark may stand
  std::string event_;
  std::string data_;  // each line followed by \n
  bool has_data_ = false;
  std::string last_event_id_;
};

}  // namespace mig
