// What the broker sent, held against what the model expects.
#include <algorithm>

#include "mqtt/codec.h"
#include "test/mqtt/model.h"
#include "test/mqtt/scenario_packet.h"

namespace mig::mqtt {
namespace {

std::string Describe(const ModelDelivery& delivery) {
  return "topic " + delivery.message->topic + " payload " +
         delivery.message->payload.substr(0, 20) + " qos " +
         std::to_string(static_cast<int>(delivery.qos));
}

}  // namespace

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
  return passed == ModelPassedOn(message.properties);
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
bool Model::TakeResent(ModelSession& session, const Publish& publish, const std::string& topic,
                       bool must_come) {
  const auto is_waiting = [&](const ModelFlight& f) {
    return !f.is_sent && !f.is_released && f.delivery.qos == publish.qos;
  };
  std::set<const ModelFlight*> left_out;
  for (ModelFlight& flight : session.flights) {
    if (!is_waiting(flight)) continue;
    const bool right_id = flight.lost_its_id || publish.packet_id == flight.packet_id;
    const bool right_dup = flight.lost_its_id || publish.dup;
    const bool counts = !must_come || !MaySkipFlight(session, flight);
    if (counts && right_id && right_dup && IsThis(session, flight.delivery, publish, topic)) {
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
    if (!ModelIsShared(filter)) continue;
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
    if (TakeResent(session, publish, topic, true)) return;
    const bool resends_first = std::ranges::any_of(session.flights, [&](const ModelFlight& f) {
      return f.delivery.qos == publish.qos && !MaySkipFlight(session, f);
    });
    if (!publish.dup && !resends_first &&
        TakeFromSlots(session, session.pending[publish.qos], publish, topic, &taken)) {
      ModelFlight flight;
      flight.packet_id = publish.packet_id;
      flight.delivery = std::move(taken);
      flight.is_sent = true;
      session.flights.push_back(std::move(flight));
      return;
    }
    // One that might have been left out; not before one that looks alike and may not.
    if (TakeResent(session, publish, topic, false)) return;
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
