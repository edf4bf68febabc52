#include "test/mqtt/model.h"

#include <algorithm>

#include "mqtt/codec.h"
#include "test/mqtt/scenario_packet.h"

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

bool IsShared(const std::string& filter) { return filter.starts_with("$share/"); }

// What comes after `$share/NAME/`.
std::string WithoutShare(const std::string& filter) {
  return filter.substr(filter.find('/', filter.find('/') + 1) + 1);
}

Properties PassedOn(const Properties& properties) {
  Properties passed;
  for (const Property& property : properties) {
    if (property.id == PropertyId::kUserProperty || property.id == PropertyId::kContentType) {
      passed.Add(property);
    }
  }
  return passed;
}

std::optional<UtcTime> ExpiryOf(const Properties& properties, UtcTime now) {
  const auto seconds = properties.Number(PropertyId::kMessageExpiryInterval);
  if (!seconds) return std::nullopt;
  return now + std::chrono::seconds(*seconds);
}

std::string Describe(const ModelDelivery& delivery) {
  return "topic " + delivery.message->topic + " payload " +
         delivery.message->payload.substr(0, 20) + " qos " +
         std::to_string(static_cast<int>(delivery.qos));
}

}  // namespace

bool ModelMatches(const std::string& filter, const std::string& topic) {
  const auto wanted = Levels(filter);
  const auto have = Levels(topic);
  if (topic.starts_with("$") && (wanted[0] == "#" || wanted[0] == "+")) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "#") return true;  // also the level above it
    if (i == have.size()) return false;
    if (wanted[i] != "+" && wanted[i] != have[i]) return false;
  }
  if (wanted.size() == have.size()) return true;
  return false;
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
    if (IsShared(filter)) groups.push_back(filter);
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
  for (const std::string& name : ended) {
    // Of a session that ends with its connection nothing need be on disk, not even its will.
    ModelSession& session = sessions_.at(name);
    if (session.will) {
      auto message = std::make_shared<ModelMessage>();
      message->topic = session.will->topic;
      message->payload = session.will->payload;
      message->qos = session.will->qos;
      message->properties = PassedOn(session.will->properties);
      message->expires_at = ExpiryOf(session.will->properties, now_);
      session.will.reset();
      lost_will_ = true;
      Route(message, name, nullptr);
      lost_will_ = false;
    }
    EndSession(name);
  }
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
  message->properties = PassedOn(will.properties);
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
  message->properties = PassedOn(publish.properties);
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
      if (IsShared(filter) || !ModelMatches(filter, message->topic)) continue;
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
    if (IsShared(entry.filter)) {
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
    if (!existed.back() || !IsShared(filter)) continue;
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

// It is not, or no longer, to be sent: expired, or too large.
bool Model::MaySkip(const ModelSession& session, const ModelDelivery& delivery) const {
  if (delivery.may_be_left_out) return true;
  const auto& expires_at = delivery.message->expires_at;
  return (expires_at && *expires_at <= now_) || IsTooLarge(session, delivery);
}

bool Model::IsTooLarge(const ModelSession& session, const ModelDelivery& delivery) const {
  const ModelMessage& message = *delivery.message;
  Publish publish;
  publish.topic = message.topic;
  publish.payload = message.payload;
  publish.qos = delivery.qos;
  publish.packet_id = 1;
  if (session.version == Version::k5) {
    publish.properties = message.properties;
    if (message.expires_at) publish.properties.Add(PropertyId::kMessageExpiryInterval, 1);
    for (const auto id : delivery.identifiers) {
      publish.properties.Add(PropertyId::kSubscriptionIdentifier, id);
    }
  }
  return Encode(publish, session.version).size() > session.max_packet;
}

bool Model::IsThis(const ModelSession& session, const ModelDelivery& delivery,
                   const Publish& publish, const std::string& topic) const {
  const ModelMessage& message = *delivery.message;
  if (topic != message.topic || publish.payload != message.payload || publish.qos != delivery.qos ||
      !delivery.retain.contains(publish.retain)) {
    return false;
  }
  if (session.version == Version::k311) return true;
  std::multiset<std::uint32_t> identifiers;
  Properties passed;
  std::optional<std::uint32_t> left;
  for (const Property& property : publish.properties) {
    if (property.id == PropertyId::kSubscriptionIdentifier) {
      identifiers.insert(property.number);
    } else if (property.id == PropertyId::kMessageExpiryInterval) {
      left = property.number;
    } else if (property.id != PropertyId::kTopicAlias) {
      passed.Add(property);
    }
  }
  if (identifiers !=
      std::multiset<std::uint32_t>(delivery.identifiers.begin(), delivery.identifiers.end())) {
    return false;
  }
  if (left.has_value() != message.expires_at.has_value()) return false;
  if (left) {
    const auto due =
        std::max(std::chrono::seconds(0),
                 std::chrono::duration_cast<std::chrono::seconds>(*message.expires_at - now_));
    if (std::chrono::seconds(*left) > due + std::chrono::seconds(1) ||
        std::chrono::seconds(*left) + std::chrono::seconds(1) < due) {
      return false;
    }
  }
  return passed == PassedOn(message.properties);
}

// The first of a slot's deliveries that it is; those before the slot must be such as need not come.
bool Model::TakeFromSlots(ModelSession& session, std::deque<ModelSlot>& slots,
                          const Publish& publish, const std::string& topic, ModelDelivery* taken) {
  for (std::size_t at = 0; at < slots.size(); ++at) {
    auto& deliveries = slots[at].deliveries;
    for (auto delivery = deliveries.begin(); delivery != deliveries.end(); ++delivery) {
      const bool has_expired =
          delivery->message->expires_at && *delivery->message->expires_at <= now_;
      if (has_expired || !IsThis(session, *delivery, publish, topic)) continue;
      *taken = std::move(*delivery);
      deliveries.erase(delivery);
      const std::uint64_t event = slots[at].event;
      for (auto& [qos, others] : session.pending) {  // their turn may have come, and gone
        for (ModelSlot& slot : others) {
          for (ModelDelivery& other : slot.deliveries) {
            if (slot.event <= event && MaySkip(session, other)) other.may_be_left_out = true;
          }
        }
      }
      slots.erase(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(at));
      return true;
    }
    if (!std::ranges::all_of(deliveries, [&](const ModelDelivery& delivery) {
          return MaySkip(session, delivery);
        })) {
      return false;
    }
  }
  return false;
}

// Begun at QoS 2 it must be gone through with, unless the client of now cannot take it.
bool Model::MaySkipFlight(const ModelSession& session, const ModelFlight& flight) const {
  if (flight.is_sent || flight.is_released) return true;
  if (flight.delivery.qos != Qos::kExactlyOnce) return MaySkip(session, flight.delivery);
  return flight.delivery.may_be_left_out || IsTooLarge(session, flight.delivery);
}

// Something that was sent before, to this session; in the order of then.
bool Model::TakeResent(ModelSession& session, const Publish& publish, const std::string& topic) {
  const auto is_waiting = [&](const ModelFlight& f) {
    return !f.is_sent && !f.is_released && f.delivery.qos == publish.qos;
  };
  std::set<const ModelFlight*> left_out;
  for (ModelFlight& flight : session.flights) {
    if (!is_waiting(flight)) continue;
    const bool right_id = flight.lost_its_id || publish.packet_id == flight.packet_id;
    const bool right_dup = flight.lost_its_id || publish.dup;
    if (right_id && right_dup && IsThis(session, flight.delivery, publish, topic)) {
      flight.is_sent = true;
      flight.lost_its_id = false;
      flight.packet_id = publish.packet_id;
      std::erase_if(session.flights, [&](const ModelFlight& f) { return left_out.contains(&f); });
      return true;
    }
    if (MaySkipFlight(session, flight)) {
      left_out.insert(&flight);
    } else if (!flight.is_shared) {  // of those the order is free
      return false;
    }
  }
  return false;
}

bool Model::TakeFromGroups(const std::string& client, const Publish& publish,
                           const std::string& topic) {
  ModelSession& session = sessions_.at(client);
  for (const auto& [filter, subscription] : session.subscriptions) {
    if (!IsShared(filter)) continue;
    ModelGroup& group = groups_.at(filter);
    for (auto* list : {&group.immediate, &group.pending}) {
      for (auto delivery = list->begin(); delivery != list->end(); ++delivery) {
        if (delivery->message->expires_at && *delivery->message->expires_at <= now_) continue;
        ModelDelivery mine = *delivery;
        mine.identifiers.clear();
        if (subscription.identifier != 0) mine.identifiers = {subscription.identifier};
        mine.qos = std::min(delivery->qos, subscription.options.qos);
        mine.retain = {subscription.options.retain_as_published && mine.message->retain};
        bool is_this = IsThis(session, mine, publish, topic);
        if (!is_this) {
          mine.qos = std::min(delivery->least_qos, subscription.options.qos);
          is_this = IsThis(session, mine, publish, topic);
        }
        if (!is_this) continue;
        list->erase(delivery);
        if (mine.qos == Qos::kAtMostOnce) return true;
        ModelFlight flight;
        flight.packet_id = publish.packet_id;
        flight.group = filter;
        flight.is_shared = true;
        flight.delivery = std::move(mine);
        flight.is_sent = true;
        session.flights.push_back(std::move(flight));
        return true;
      }
    }
  }
  return false;
}

void Model::Got(const std::string& client, const Publish& publish, const std::string& topic) {
  ModelSession& session = sessions_.at(client);
  // With anything that comes, the turn of those may have come too.
  for (ModelFlight& flight : session.flights) {
    if (!flight.is_sent && !flight.is_released && MaySkipFlight(session, flight)) {
      flight.delivery.may_be_left_out = true;
    }
  }
  ModelDelivery taken;
  if (publish.qos == Qos::kAtMostOnce) {
    if (TakeFromSlots(session, session.immediate, publish, topic, &taken)) return;
  } else {
    if (TakeResent(session, publish, topic)) return;
    const bool resends_first = std::ranges::any_of(session.flights, [&](const ModelFlight& f) {
      return f.delivery.qos == publish.qos && !MaySkipFlight(session, f);
    });
    if (!publish.dup && !resends_first &&
        TakeFromSlots(session, session.pending[publish.qos], publish, topic, &taken)) {
      std::erase_if(session.flights, [&](const ModelFlight& f) {  // left out, as it may be
        return !f.is_sent && !f.is_released && f.delivery.qos == publish.qos;
      });
      ModelFlight flight;
      flight.packet_id = publish.packet_id;
      flight.delivery = std::move(taken);
      flight.is_sent = true;
      session.flights.push_back(std::move(flight));
      return;
    }
  }
  if (!publish.dup && TakeFromGroups(client, publish, topic)) return;
  std::string expected;
  for (const ModelFlight& flight : session.flights) {
    if (!flight.is_sent && !flight.is_released) {
      expected = "; first " + Describe(flight.delivery) + " again";
      break;
    }
  }
  const auto& slots =
      publish.qos == Qos::kAtMostOnce ? session.immediate : session.pending[publish.qos];
  for (const ModelSlot& slot : slots) {
    for (const ModelDelivery& delivery : slot.deliveries) {
      if (expected.size() < 200) expected += "; expected " + Describe(delivery);
    }
  }
  throw ModelViolation(client + " got what is not for it, or not now: " + DescribePacket(publish) +
                       expected);
}

void Model::GotRelease(const std::string& client, std::uint16_t packet_id) {
  if (sessions_.at(client).awaited_releases.erase(packet_id) == 0) {
    throw ModelViolation(client + " got a PUBREL that is not due: id " + std::to_string(packet_id));
  }
}

bool Model::HasRoom(const ModelSession& session) const {
  const auto open = std::ranges::count_if(
      session.flights, [](const ModelFlight& f) { return f.is_sent || f.is_released; });
  return session.is_connected && static_cast<std::size_t>(open) < session.window;
}

void Model::CheckNothingIsWithheld() {
  for (auto& [name, session] : sessions_) {
    for (const ModelSlot& slot : session.immediate) {
      for (const ModelDelivery& delivery : slot.deliveries) {
        if (MaySkip(session, delivery)) continue;
        throw ModelViolation(name + " did not get " + Describe(delivery));
      }
    }
    session.immediate.clear();
    if (!session.awaited_releases.empty()) throw ModelViolation(name + " did not get its PUBREL");
    if (!HasRoom(session)) continue;
    for (const ModelFlight& flight : session.flights) {
      if (MaySkipFlight(session, flight)) continue;
      throw ModelViolation(name + " did not get again " + Describe(flight.delivery));
    }
    std::erase_if(session.flights,
                  [](const ModelFlight& f) { return !f.is_sent && !f.is_released; });
    for (const auto& [qos, slots] : session.pending) {
      for (const ModelSlot& slot : slots) {
        for (const ModelDelivery& delivery : slot.deliveries) {
          if (MaySkip(session, delivery)) continue;
          throw ModelViolation(name + " did not get " + Describe(delivery));
        }
      }
    }
    session.pending.clear();
  }
  for (auto& [filter, group] : groups_) {
    const bool has_reader = std::ranges::any_of(
        group.members, [&](const std::string& member) { return HasRoom(sessions_.at(member)); });
    for (const ModelDelivery& delivery : group.immediate) {
      if (delivery.may_be_left_out || !has_reader) continue;
      if (delivery.message->expires_at && *delivery.message->expires_at <= now_) continue;
      throw ModelViolation("nobody of " + filter + " got " + Describe(delivery));
    }
    group.immediate.clear();
    if (!has_reader) continue;
    for (const ModelDelivery& delivery : group.pending) {
      if (delivery.may_be_left_out) continue;
      if (delivery.message->expires_at && *delivery.message->expires_at <= now_) continue;
      throw ModelViolation("nobody of " + filter + " got " + Describe(delivery));
    }
    group.pending.clear();
  }
}

}  // namespace mig::mqtt
