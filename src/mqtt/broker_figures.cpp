// What the broker tells of itself: figures for whoever asks, and $SYS topics (mqtt/sys_topics.h)
// for those who subscribe to them. A $SYS topic behaves as if its value were a retained message,
// but there is none: values are made when somebody subscribes, and then, as far as they have
// changed, at every interval. They are sent with QoS 0, so that nothing is ever queued or stored
// for them.
#include <algorithm>

#include "mqtt/broker.h"
#include "mqtt/topic.h"

namespace mig::mqtt {
namespace {

MessageRef SysMessage(std::string_view topic, std::string value) {
  auto message = std::make_shared<Message>();
  message->topic = topic;
  message->payload = std::move(value);
  message->retain = true;
  return message;
}

}  // namespace

BrokerFigures Broker::Figures(UtcTime now) const {
  BrokerFigures figures;
  figures.counters = counters_;
  figures.uptime = now - started_;
  figures.connections = connections_.size();
  figures.clients_connected = clients_;
  figures.clients_maximum = most_clients_;
  figures.sessions = sessions_.size();
  figures.subscriptions = subscriptions_;
  figures.shared_subscriptions = shared_subscriptions_;
  figures.share_groups = groups_.size();
  figures.retained_messages = retained_.size();
  figures.retained_bytes = retained_.bytes();
  figures.queued_messages = queued_.messages;
  figures.queued_bytes = queued_.bytes;
  figures.incomplete_bytes = partial_bytes_;
  figures.uncommitted = uncommitted_operations_ + open_batch_.size();
  figures.store_writable = store_writable_;
  return figures;
}

std::vector<QueueFigures> Broker::LargestQueues(std::size_t count) const {
  struct Place {
    std::size_t bytes = 0;
    const Session* session = nullptr;  // or
    const ShareGroup* group = nullptr;
    bool operator>(const Place& other) const { return bytes > other.bytes; }
  };
  std::vector<Place> largest;  // a heap whose front is the smallest
  const auto offer = [&](const Place& place, const MessageQueue& queue) {
    if (queue.messages() == 0 || count == 0) return;
    if (largest.size() == count) {
      if (place.bytes <= largest.front().bytes) return;
      std::ranges::pop_heap(largest, std::greater<>());
      largest.pop_back();
    }
    largest.push_back(place);
    std::ranges::push_heap(largest, std::greater<>());
  };
  for (const auto& [id, session] : sessions_) {
    offer({session->queue.bytes(), session.get(), nullptr}, session->queue);
  }
  for (const auto& [id, group] : groups_) {
    offer({group->queue.bytes(), nullptr, group.get()}, group->queue);
  }
  std::ranges::sort_heap(largest, std::greater<>());
  std::vector<QueueFigures> figures;
  for (const Place& place : largest) {
    QueueFigures each;
    if (place.session != nullptr) {
      each.name = place.session->client_id;
      each.role = place.session->owner.role;
      each.connected = place.session->connection != 0;
    } else {
      each.name = place.group->filter;
      each.connected = std::ranges::any_of(place.group->members, [this](const auto& member) {
        const auto session = sessions_.find(member.session);
        return session != sessions_.end() && session->second->connection != 0;
      });
    }
    const MessageQueue& queue =
        place.session != nullptr ? place.session->queue : place.group->queue;
    each.messages = queue.messages();
    each.bytes = queue.bytes();
    figures.push_back(std::move(each));
  }
  return figures;
}

bool Broker::MayPublish(const Peer& peer, std::string_view topic, bool retain) const {
  return !IsSysTopic(topic) && authoriser_.MayPublish(peer, topic, retain);
}

void Broker::StartSysTopics(UtcTime now) {
  started_ = now;
  loads_at_ = now;
  if (options_.sys_interval.count() > 0) {
    alarms_.Set(now + options_.sys_interval, AlarmKind::kSysTopics, 0);
  }
}

void Broker::UpdateSysTopics(UtcTime now) {
  alarms_.Set(now + options_.sys_interval, AlarmKind::kSysTopics, 0);
  if (now > loads_at_) loads_.Sample(counters_, now - loads_at_);
  loads_at_ = now;
  const auto wanted = [this](std::string_view topic) {
    matches_.clear();
    tree_.Match(topic, matches_);
    return !matches_.empty();
  };
  WriteSysTopics(Figures(now), loads_, wanted, [&](std::string_view topic, std::string value) {
    std::string& last = sys_values_[std::string(topic)];
    if (last == value) return;
    last = value;
    Outcome outcome;
    Route(SysMessage(topic, std::move(value)), nullptr, outcome, now);
  });
}

// What stands for the retained messages of these topics.
void Broker::SendSysTopics(Session& session, const std::string& filter,
                           const Subscription& subscription, UtcTime now) {
  if (options_.sys_interval.count() == 0 || !IsSysTopic(filter)) return;
  WriteSysTopics(
      Figures(now), loads_, [&](std::string_view topic) { return Matches(filter, topic); },
      [&](std::string_view topic, std::string value) {
        SendRetainedOne(session, subscription, SysMessage(topic, std::move(value)), now);
      });
}

}  // namespace mig::mqtt
