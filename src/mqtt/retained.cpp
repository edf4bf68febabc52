#include "mqtt/retained.h"

#include "mqtt/topic.h"

namespace mig::mqtt {

bool RetainedMessages::HasRoomFor(const Message& message) const {
  const auto found = messages_.find(message.topic);
  const bool is_new = found == messages_.end();
  const std::size_t old_size = is_new ? 0 : found->second.message->Size();
  return bytes_ - old_size + message.Size() <= max_bytes_ &&
         (!is_new || messages_.size() < max_messages_);
}

bool RetainedMessages::Put(RetainedRecord retained) {
  if (!HasRoomFor(*retained.message)) return false;
  const std::string& topic = retained.message->topic;
  const auto found = messages_.find(topic);
  if (found != messages_.end()) bytes_ -= found->second.message->Size();
  bytes_ += retained.message->Size();
  if (found == messages_.end()) {
    messages_.emplace(topic, std::move(retained));
  } else {
    found->second = std::move(retained);
  }
  return true;
}

bool RetainedMessages::Remove(std::string_view topic) {
  const auto found = messages_.find(topic);
  if (found == messages_.end()) return false;
  bytes_ -= found->second.message->Size();
  messages_.erase(found);
  return true;
}

std::vector<RetainedRecord> RetainedMessages::Match(std::string_view filter, UtcTime now) const {
  std::vector<RetainedRecord> matches;
  if (!HasWildcard(filter)) {
    const auto found = messages_.find(filter);
    if (found != messages_.end() && !found->second.message->Expired(now)) {
      matches.push_back(found->second);
    }
    return matches;
  }
  // `a/b/#` matches `a/b` too, so that the slash before it is no part of what all begin with.
  std::string_view prefix = filter.substr(0, filter.find_first_of("+#"));
  if (filter[prefix.size()] == '#' && !prefix.empty()) prefix.remove_suffix(1);
  for (auto each = messages_.lower_bound(prefix);
       each != messages_.end() && each->first.starts_with(prefix); ++each) {
    const RetainedRecord& retained = each->second;
    if (Matches(filter, each->first) && !retained.message->Expired(now)) {
      matches.push_back(retained);
    }
  }
  return matches;
}

std::vector<std::string> RetainedMessages::TakeExpired(UtcTime now) {
  std::vector<std::string> topics;
  for (const auto& [topic, retained] : messages_) {
    if (retained.message->Expired(now)) topics.push_back(topic);
  }
  for (const std::string& topic : topics) Remove(topic);
  return topics;
}

}  // namespace mig::mqtt
