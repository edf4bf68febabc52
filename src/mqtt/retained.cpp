#include "mqtt/retained.h"

#include <algorithm>

#include "mqtt/topic.h"

namespace mig::mqtt {

bool RetainedMessages::Put(MessageRef message) {
  const auto found = messages_.find(message->topic);
  const std::size_t old_size = found == messages_.end() ? 0 : found->second->Size();
  const std::size_t bytes = bytes_ - old_size + message->Size();
  if (bytes > max_bytes_ || (found == messages_.end() && messages_.size() >= max_messages_)) {
    return false;
  }
  bytes_ = bytes;
  if (found == messages_.end()) {
    std::string topic = message->topic;
    messages_.emplace(std::move(topic), std::move(message));
  } else {
    found->second = std::move(message);
  }
  return true;
}

bool RetainedMessages::Remove(std::string_view topic) {
  const auto found = messages_.find(topic);
  if (found == messages_.end()) return false;
  bytes_ -= found->second->Size();
  messages_.erase(found);
  return true;
}

std::vector<MessageRef> RetainedMessages::Match(std::string_view filter, UtcTime now) const {
  std::vector<MessageRef> matches;
  if (!HasWildcard(filter)) {
    const auto found = messages_.find(filter);
    if (found != messages_.end() && !found->second->Expired(now)) matches.push_back(found->second);
    return matches;
  }
  for (const auto& [topic, message] : messages_) {
    if (Matches(filter, topic) && !message->Expired(now)) matches.push_back(message);
  }
  std::ranges::sort(matches, {}, [](const MessageRef& m) -> std::string_view { return m->topic; });
  return matches;
}

std::vector<std::string> RetainedMessages::TakeExpired(UtcTime now) {
  std::vector<std::string> topics;
  for (const auto& [topic, message] : messages_) {
    if (message->Expired(now)) topics.push_back(topic);
  }
  for (const std::string& topic : topics) Remove(topic);
  return topics;
}

}  // namespace mig::mqtt
