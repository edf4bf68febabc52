#include "test/store/relay_model.h"

#include "mqtt/packet.h"
#include "test/store/relay_fixture.h"

namespace mig::store {
namespace {

using namespace mqtt;

std::string TextOf(const SessionRecord& s) {
  std::string text =
      s.client_id + " " + s.role + " " + s.peer_id + " " + std::to_string(s.expiry.count());
  if (s.away_since) text += " away " + std::to_string(s.away_since->time_since_epoch().count());
  if (s.will) text += " will " + s.will->topic + " " + s.will->payload;
  return text;
}

std::string TextOf(const SubscriptionRecord& s) {
  return std::to_string(EncodeOptions(s.options)) + " " + std::to_string(s.identifier);
}

std::string TextOf(const Message& m) {
  return std::to_string(m.id) + " " + m.topic + " " + std::to_string(m.payload.size()) + " " +
         std::to_string(std::hash<std::string>()(m.payload)) + " " + m.properties;
}

std::string TextOf(const Message& m, Qos qos, bool retain,
                   const std::vector<std::uint32_t>& identifiers) {
  std::string text = TextOf(m) + " qos " + std::to_string(static_cast<int>(qos));
  if (retain) text += " retain";
  for (const std::uint32_t id : identifiers) text += " #" + std::to_string(id);
  return text;
}

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

// Collects lines; those of one kind come sorted.
class Lines {
 public:
  void Add(std::string kind, auto key, std::uint64_t number, const std::string& text) {
    std::string order = std::to_string(number);
    order.insert(0, 20 - order.size(), '0');
    std::string first;
    if constexpr (std::is_arithmetic_v<decltype(key)>) {
      first = std::to_string(key);
      first.insert(0, 20 - first.size(), '0');
    } else {
      first = key;
    }
    lines_.insert(std::move(kind) + " " + first + " " + order + ": " + text + "\n");
  }
  std::string Print() const {
    std::string out;
    for (const std::string& line : lines_) out += line;
    return out;
  }

 private:
  std::set<std::string> lines_;
};

}  // namespace

void RelayModel::Dequeue(QueueId queue, std::uint64_t sequence) { rows_.erase({queue, sequence}); }

void RelayModel::Apply(const KeepBatch& batch) {
  for (const KeepOperation& operation : batch.operations) Apply(operation);
}

void RelayModel::Apply(const KeepOperation& operation) {
  const auto drop_queue = [this](QueueId id) {
    std::erase_if(rows_, [id](const auto& row) { return row.first.first == id; });
  };
  const Overloaded visitor{
      [&](const PutSession& o) { sessions_[o.session.id] = TextOf(o.session); },
      [&](const DropSession& o) {
        const auto of_it = [&o](const auto& each) { return each.first.first == o.id; };
        sessions_.erase(o.id);
        std::erase_if(subscriptions_, of_it);
        std::erase_if(received_, [&o](const auto& key) { return key.first == o.id; });
        std::erase_if(sending_, of_it);
        drop_queue(o.id);
      },
      [&](const PutSubscription& o) {
        subscriptions_[{o.subscription.session, o.subscription.filter}] = TextOf(o.subscription);
      },
      [&](const DropSubscription& o) {
        subscriptions_.erase({o.session, o.filter});
      },
      [&](const PutGroup& o) { groups_[o.group.id] = o.group.filter; },
      [&](const DropGroup& o) {
        groups_.erase(o.id);
        drop_queue(o.id);
      },
      [&](const Enqueue& o) {
        for (const Destination& d : o.destinations) {
          rows_[{d.queue, d.sequence}] = {TextOf(*o.message, d.qos, d.retain, d.identifiers),
                                          o.message->expires_at};
        }
      },
      [&](const mqtt::Dequeue& o) { Dequeue(o.queue, o.sequence); },
      [&](const PutRetained& o) {
        retained_[o.retained.message->topic] =
            TextOf(*o.retained.message) + " " + o.retained.role + " " + o.retained.peer_id;
      },
      [&](const DropRetained& o) { retained_.erase(o.topic); },
      [&](const PutReceived& o) { received_.emplace(o.session, o.packet_id); },
      [&](const DropReceived& o) {
        received_.erase({o.session, o.packet_id});
      },
      [&](const PutSending& o) {
        sending_[{o.session, o.packet_id}] = o.sequence;
      },
      [&](const PutReleased& o) {
        sending_[{o.session, o.packet_id}] = 0;
        Dequeue(o.session, o.sequence);
      },
      [&](const DropSending& o) {
        sending_.erase({o.session, o.packet_id});
      }};
  std::visit(visitor, operation);
}

void RelayModel::Sweep(UtcTime now) {
  std::erase_if(rows_, [&](const auto& row) {
    if (!row.second.expires_at || *row.second.expires_at > now) return false;
    return std::none_of(sending_.begin(), sending_.end(), [&](const auto& s) {
      return s.first.first == row.first.first && s.second == row.first.second;
    });
  });
}

std::string RelayModel::Print() const {
  Lines lines;
  for (const auto& [id, text] : sessions_) lines.Add("session", id, 0, text);
  for (const auto& [id, text] : groups_) lines.Add("group", id, 0, text);
  for (const auto& [key, text] : subscriptions_) {
    lines.Add("subscription", key.first, 0, key.second + " " + text);
  }
  for (const auto& [key, row] : rows_) lines.Add("row", key.first, key.second, row.text);
  for (const auto& [topic, text] : retained_) lines.Add("retained", topic, 0, text);
  for (const auto& [session, id] : received_) lines.Add("received", session, id, "");
  for (const auto& [key, sequence] : sending_) {
    lines.Add("sending", key.first, key.second, std::to_string(sequence));
  }
  return lines.Print();
}

std::string PrintStored(Relay& relay) {
  constexpr std::size_t kRows = 64;
  const Snapshot& s = relay.snapshot;
  Lines lines;
  for (const SessionRecord& each : s.sessions) lines.Add("session", each.id, 0, TextOf(each));
  for (const GroupRecord& each : s.groups) lines.Add("group", each.id, 0, each.filter);
  for (const SubscriptionRecord& each : s.subscriptions) {
    lines.Add("subscription", each.session, 0, each.filter + " " + TextOf(each));
  }
  for (const QueueSummary& queue : s.queues) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    std::uint64_t after = 0;
    for (auto page = relay.ReadPage(queue.id, 0, kRows); !page.empty();
         page = relay.ReadPage(queue.id, after, kRows)) {
      for (const QueueEntry& row : page) {
        lines.Add("row", queue.id, row.sequence,
                  TextOf(*row.message, row.qos, row.retain, row.identifiers));
        after = row.sequence;
        ++count;
        bytes += row.message->Size();
      }
    }
    CHECK(queue.messages == count);
    CHECK(queue.bytes == bytes);
    CHECK(queue.last_sequence == after);
  }
  for (const RetainedRecord& each : s.retained) {
    lines.Add("retained", each.message->topic, 0,
              TextOf(*each.message) + " " + each.role + " " + each.peer_id);
  }
  for (const ReceivedRecord& each : s.received) {
    lines.Add("received", each.session, each.packet_id, "");
  }
  for (const SendingRecord& each : s.sending) {
    lines.Add("sending", each.session, each.packet_id, std::to_string(each.sequence));
  }
  return lines.Print();
}

}  // namespace mig::store
