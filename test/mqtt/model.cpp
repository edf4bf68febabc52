#include "test/mqtt/model.h"

#include <algorithm>

namespace mig::mqtt {
namespace {

// No broker may have more in flight than this one has at most.
constexpr std::size_t kLargestWindow = 64;

std::vector<std::string> Levels(const std::string& topic) {
  std::vector<std::string> levels(1);
  for (const char c : topic) {
    if (c == '/') {
      levels.emplace_back();
    } else {
      levels.back() += c;
    }
  }
  return levels;
}

// What comes after `$share/NAME/`.
std::string WithoutShare(const std::string& filter) {
  return filter.substr(filter.find('/', filter.find('/') + 1) + 1);
}

std::optional<UtcTime> ExpiryOf(const Properties& properties, UtcTime now) {
  const auto seconds = properties.Number(PropertyId::kMessageExpiryInterval);
  if (!seconds) return std::nullopt;
  return now + std::chrono::seconds(*seconds);
}

}  // namespace

bool ModelIsShared(const std::string& filter) { return filter.starts_with("$share/"); }

Properties ModelPassedOn(const Properties& properties) {
  Properties passed;
  for (const Property& property : properties) {
    if (property.id == PropertyId::kUserProperty || property.id == PropertyId::kContentType) {
      passed.Add(property);
    }
  }
  return passed;
}

bool ModelMatches(const std::string& filter, const std::string& topic) {
  const auto wanted = Levels(filter);
  const auto have = Levels(topic);
  if (topic.starts_with("$") && (wanted[0] == "#" || wanted[0] == "+")) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;  // also the level above it
    if (i == have.size()) return false;
    if (wanted[i] != "+" && wanted[i] != have[i]) return false;
  }
  return wanted.size() == have.size();
}

void Model::Advance(UtcTime now) {
  now_ = now;
  ++event_;
  std::vector<std::string> names;
  for (const auto& [name, session] : sessions_) names.push_back(name);
  for (const std::string& name : names) {
    ModelSession& session = sessions_.at(name);
    if (session.is_connected) continue;
    if (session.will_at && *session.will_at <= now) SendWill(name);
    if (session.away_since + session.expiry <= now) EndSession(name);
  }
}

bool Model::Connect(const mqtt::Connect& connect, std::chrono::seconds longest_expiry) {
  ++event_;
  const std::string& name = connect.client_id;
  if (const auto found = sessions_.find(name);
      found != sessions_.end() && found->second.is_connected) {
    Drop(name, false);
  }
  if (connect.clean_start && sessions_.contains(name)) EndSession(name);
  const bool is_present = sessions_.contains(name);
  ModelSession& session = sessions_[name];
  session.is_connected = true;
  session.version = connect.version;
  const Properties& p = connect.properties;
  if (connect.version == Version::k5) {
    session.expiry = std::chrono::seconds(p.Number(PropertyId::kSessionExpiryInterval).value_or(0));
  } else {
    session.expiry = connect.clean_start ? std::chrono::seconds(0) : longest_expiry;
  }
  session.window = std::min<std::size_t>(
      kLargestWindow, p.Number(PropertyId::kReceiveMaximum).value_or(kLargestWindow));
  session.max_packet = p.Number(PropertyId::kMaximumPacketSize).value_or(0xFFFFFFFF);
  session.will = connect.will;
  session.will_at.reset();
  for (ModelFlight& flight : session.flights) {
    flight.is_sent = false;
    if (flight.is_released) session.awaited_releases.insert(flight.packet_id);
  }
  return is_present;
}

void Model::Disconnected(const std::string& client, const Disconnect& disconnect) {
  ++event_;
  ModelSession& session = sessions_.at(client);
  if (const auto expiry = disconnect.properties.Number(PropertyId::kSessionExpiryInterval)) {
    session.expiry = std::chrono::seconds(*expiry);
  }
  Drop(client, disconnect.reason == Reason::kSuccess);
}

void Model::Dropped(const std::string& client) {
  ++event_;
  Drop(client, false);
}

void Model::Drop(const std::string& client, bool discard_will) {
  ModelSession& session = sessions_.at(client);
  session.is_connected = false;
  session.away_since = now_;
  session.immediate.clear();
  session.awaited_releases.clear();
  if (discard_will) session.will.reset();
  for (auto flight = session.flights.begin(); flight != session.flights.end();) {
    const bool goes_on = flight->delivery.qos == Qos::kExactlyOnce || flight->group.empty();
    if (!goes_on) ReturnToGroup(*flight);
    flight = goes_on ? std::next(flight) : session.flights.erase(flight);
  }
  if (session.expiry.count() == 0) return EndSession(client);
  if (!session.will) return;
  const auto delay = session.will->properties.Number(PropertyId::kWillDelayInterval).value_or(0);
  session.will_at = now_ + std::min(std::chrono::seconds(delay), session.expiry);
  if (*session.will_at <= now_) SendWill(client);
}

void Model::EndSession(const std::string& client) {
  SendWill(client);
  std::vector<std::string> groups;
  for (const auto& [filter, subscription] : sessions_.at(client).subscriptions) {
    if (ModelIsShared(filter)) groups.push_back(filter);
  }
  sessions_.erase(client);
  for (const std::string& filter : groups) LeaveGroup(client, filter);
}

void Model::BrokerKilled() {
  ++event_;
  std::vector<std::string> ended;
  for (auto& [name, session] : sessions_) {
    session.immediate.clear();
    session.awaited_releases.clear();
    for (auto flight = session.flights.begin(); flight != session.flights.end();) {
      if (flight->delivery.qos == Qos::kAtLeastOnce) flight->lost_its_id = true;
      const bool is_own = flight->group.empty() || flight->delivery.qos == Qos::kExactlyOnce;
      if (!is_own) ReturnToGroup(*flight);
      flight = is_own ? std::next(flight) : session.flights.erase(flight);
    }
    if (!session.is_connected) continue;
    session.is_connected = false;
    session.away_since = now_;
    if (session.expiry.count() == 0) {
      ended.push_back(name);
    } else if (session.will) {
      const auto delay =
          session.will->properties.Number(PropertyId::kWillDelayInterval).value_or(0);
      session.will_at = now_ + std::chrono::seconds(delay);
    }
  }
  // Of a session that ends with its connection nothing need be on disk, not even its will; and it
  // may be sent while others of them are still there, or not.
  for (const std::string& name : ended) {
    ModelSession& session = sessions_.at(name);
    if (!session.will) continue;
    auto message = std::make_shared<ModelMessage>();
    message->topic = session.will->topic;
    message->payload = session.will->payload;
    message->qos = session.will->qos;
    message->properties = ModelPassedOn(session.will->properties);
    message->expires_at = ExpiryOf(session.will->properties, now_);
    session.will.reset();
    lost_will_ = true;
    Route(message, name, nullptr);
    lost_will_ = false;
  }
  for (const std::string& name : ended) EndSession(name);
  Advance(now_);
}

void Model::SendWill(const std::string& client) {
  ModelSession& session = sessions_.at(client);
  session.will_at.reset();
  if (!session.will) return;
  const Will will = *session.will;
  session.will.reset();
  auto message = std::make_shared<ModelMessage>();
  message->topic = will.topic;
  message->payload = will.payload;
  message->qos = will.qos;
  message->retain = will.retain;
  message->properties = ModelPassedOn(will.properties);
  message->expires_at = ExpiryOf(will.properties, now_);
  Retain(message);
  Route(message, client, nullptr);
}

void Model::Retain(const std::shared_ptr<const ModelMessage>& message) {
  if (!message->retain) return;
  if (message->payload.empty()) {
    retained_.erase(message->topic);
  } else {
    retained_[message->topic] = message;
  }
}

std::optional<bool> Model::Published(const std::string& client, const Publish& publish) {
  ++event_;
  ModelSession& session = sessions_.at(client);
  if (publish.qos == Qos::kExactlyOnce && !session.received.insert(publish.packet_id).second) {
    return std::nullopt;
  }
  auto message = std::make_shared<ModelMessage>();
  message->topic = publish.topic;
  message->payload = publish.payload;
  message->qos = publish.qos;
  message->retain = publish.retain;
  message->properties = ModelPassedOn(publish.properties);
  message->expires_at = ExpiryOf(publish.properties, now_);
  Retain(message);
  bool matched = false;
  Route(message, client, &matched);
  return matched;
}

void Model::Route(const std::shared_ptr<const ModelMessage>& message, const std::string& publisher,
                  bool* matched) {
  for (auto& [name, session] : sessions_) {
    ModelDelivery delivery;
    delivery.message = message;
    delivery.may_be_left_out = lost_will_;
    bool wants = false;
    for (const auto& [filter, subscription] : session.subscriptions) {
      if (ModelIsShared(filter) || !ModelMatches(filter, message->topic)) continue;
      if (subscription.options.no_local && name == publisher) continue;
      wants = true;
      delivery.qos = std::max(delivery.qos, subscription.options.qos);
      delivery.retain.insert(subscription.options.retain_as_published && message->retain);
      if (subscription.identifier != 0) delivery.identifiers.push_back(subscription.identifier);
    }
    if (!wants) continue;
    if (matched != nullptr) *matched = true;
    delivery.qos = std::min(delivery.qos, message->qos);
    Add(session, std::move(delivery));
  }
  for (auto& [filter, group] : groups_) {
    if (!ModelMatches(WithoutShare(filter), message->topic)) continue;
    if (matched != nullptr) *matched = true;
    ModelDelivery delivery;
    delivery.message = message;
    delivery.may_be_left_out = lost_will_;
    bool is_there = false;
    bool has_room = false;
    for (const std::string& member : group.members) {
      const ModelSession& session = sessions_.at(member);
      const SubscribeOptions& options = session.subscriptions.at(filter).options;
      delivery.qos = std::max(delivery.qos, options.qos);
      is_there = is_there || session.is_connected;
      has_room = has_room || HasRoom(session);
    }
    delivery.qos = std::min(delivery.qos, message->qos);
    delivery.least_qos = delivery.qos;
    if (message->qos > Qos::kAtMostOnce && delivery.qos > Qos::kAtMostOnce) {
      delivery.qos = message->qos;  // a member that joins later may take more
      group.pending.push_back(std::move(delivery));
    } else if (is_there) {
      delivery.may_be_left_out = delivery.may_be_left_out || !has_room;
      group.immediate.push_back(std::move(delivery));
    }
  }
}

void Model::Add(ModelSession& session, ModelDelivery delivery) {
  if (delivery.qos == Qos::kAtMostOnce && !session.is_connected) return;
  auto& slots =
      delivery.qos == Qos::kAtMostOnce ? session.immediate : session.pending[delivery.qos];
  if (slots.empty() || slots.back().event != event_) slots.push_back({event_, {}});
  slots.back().deliveries.push_back(std::move(delivery));
}

void Model::Subscribed(const std::string& client, const Subscribe& subscribe) {
  ModelSession& session = sessions_.at(client);
  const auto identifier = subscribe.properties.Number(PropertyId::kSubscriptionIdentifier);
  for (const Subscribe::Entry& entry : subscribe.entries) {
    ++event_;
    const bool is_new = !session.subscriptions.contains(entry.filter);
    session.subscriptions[entry.filter] = {entry.options, identifier.value_or(0)};
    if (ModelIsShared(entry.filter)) {
      groups_[entry.filter].members.insert(client);
      continue;
    }
    const RetainHandling handling = entry.options.retain_handling;
    if (handling == RetainHandling::kDoNotSend ||
        (handling == RetainHandling::kSendIfNew && !is_new)) {
      continue;
    }
    for (const auto& [topic, message] : retained_) {
      if (!ModelMatches(entry.filter, topic)) continue;
      if (message->expires_at && *message->expires_at <= now_) continue;
      ModelDelivery delivery;
      delivery.message = message;
      delivery.qos = std::min(message->qos, entry.options.qos);
      delivery.retain = {true};
      if (identifier) delivery.identifiers = {*identifier};
      Add(session, std::move(delivery));
    }
  }
}

std::vector<bool> Model::Unsubscribed(const std::string& client, const Unsubscribe& unsubscribe) {
  std::vector<bool> existed;
  for (const std::string& filter : unsubscribe.filters) {
    existed.push_back(sessions_.at(client).subscriptions.erase(filter) > 0);
    if (!existed.back() || !ModelIsShared(filter)) continue;
    LeaveGroup(client, filter);
    for (ModelFlight& flight : sessions_.at(client).flights) {
      if (flight.group == filter) flight.group.clear();  // what has begun is its own
    }
  }
  return existed;
}

void Model::LeaveGroup(const std::string& client, const std::string& filter) {
  ModelGroup& group = groups_.at(filter);
  group.members.erase(client);
  if (group.members.empty()) groups_.erase(filter);
}

// What a member did not acknowledge is for another, if there is any left.
void Model::ReturnToGroup(ModelFlight flight) {
  const auto group = groups_.find(flight.group);
  if (group == groups_.end()) return;
  flight.delivery.qos = flight.delivery.message->qos;
  group->second.pending.push_front(std::move(flight.delivery));
}

void Model::ReleasedByClient(const std::string& client, std::uint16_t packet_id) {
  sessions_.at(client).received.erase(packet_id);
}

void Model::AcknowledgedByClient(const std::string& client, const Ack& ack) {
  ModelSession& session = sessions_.at(client);
  const auto flight = std::ranges::find_if(session.flights, [&](const ModelFlight& f) {
    return f.packet_id == ack.packet_id && (f.is_sent || f.is_released);
  });
  if (flight == session.flights.end()) return;
  if (ack.type == PacketType::kPubRec && !IsError(ack.reason)) {
    flight->is_released = true;
    session.awaited_releases.insert(ack.packet_id);
  } else {
    session.flights.erase(flight);
  }
}

}  // namespace mig::mqtt
