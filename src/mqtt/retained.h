// The retained message of each topic (MQTT 5.0 section 3.3.1.3). Bounded; all in memory.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/keeper.h"
#include "mqtt/message.h"

namespace mig::mqtt {

class RetainedMessages {
 public:
  RetainedMessages(std::size_t max_messages, std::size_t max_bytes)
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  // Keeps the message in place of the one that its topic had. False: there is no room, and the
  // old one stays.
  bool Put(RetainedRecord retained);

  bool HasRoomFor(const Message& message) const;

  // True if there was one.
  bool Remove(std::string_view topic);

  // Those that match the filter and have not expired, in order of their topics.
  std::vector<RetainedRecord> Match(std::string_view filter, UtcTime now) const;

  // Removes what has expired and returns the topics.
  std::vector<std::string> TakeExpired(UtcTime now);

  std::size_t size() const { return messages_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t max_messages_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  // Ordered, so that a filter looks only at the topics that begin like it.
  std::map<std::string, RetainedRecord, std::less<>> messages_;
};

}  // namespace mig::mqtt
