// A broker with several clients who do what the input says: broken bytes, sensible packets, lost
// connections, time passing, a store that commits late, a restart. Nothing crashes, what is sent
// decodes, nobody gets more than was agreed, and the store is never told nonsense
// (test/mqtt/fake_store.h).
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "mqtt/broker.h"
#include "test/fuzz/require.h"
#include "test/mqtt/fake_store.h"

using namespace mig::mqtt;
using mig::Bytes;
using mig::BytesView;
using mig::UtcTime;
using mig::fuzz::Require;

namespace {

constexpr std::array<const char*, 8> kNames{"a", "a/b", "a/b/c", "b", "$x/a", "a//c", "/", "will"};
constexpr std::array<const char*, 12> kFilters{
    "a", "a/b", "a/+", "a/#", "#", "+/b", "$share/g/a", "$share/g/a/#", "b", "+", "$x/#", "bad#"};

struct FarEnd {
  Version version = Version::k5;
  std::set<std::uint16_t> unacknowledged;  // to which PUBACK or PUBREC is due
  std::set<std::uint16_t> unreleased;      // to which PUBCOMP is due
  std::map<std::uint16_t, std::string> aliases;
  std::size_t receive_maximum = 0xFFFF;
  std::size_t alias_maximum = 0;
  std::size_t max_packet_bytes = 0xFFFFFFFF;
  bool closed = false;
  bool strange = false;
};

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }
  BytesView Take(std::size_t size) {
    const BytesView taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  BytesView rest_;
};

class Scene {
 public:
  Scene() { Start(); }

  void Step(Input& input) {
    const std::uint8_t what = input.Byte();
    const ConnectionId id = Pick(input.Byte());
    switch (what % 17) {
      case 0:
        return Open();
      case 1:
        return Give(id, Encode(MakeConnect(id, input), ends_[id].version));
      case 2:
        return Give(id, Encode(MakePublish(input), ends_[id].version));
      case 3:
        return Give(id, Encode(MakeSubscribe(input), ends_[id].version));
      case 4: {
        Unsubscribe unsubscribe{1, {}, {kFilters[input.Byte() % kFilters.size()]}};
        return Give(id, Encode(unsubscribe, ends_[id].version));
      }
      case 5: {  // acknowledges the oldest, or something that was never sent
        auto& open = ends_[id].unacknowledged;
        const std::uint16_t packet = open.empty() ? 0x1000 + input.Byte() : *open.begin();
        open.erase(packet);
        return Give(
            id, Encode(Ack{PacketType::kPubAck, packet, Reason::kSuccess, {}}, ends_[id].version));
      }
      case 6:
        return Give(id, Encode(Disconnect{}, ends_[id].version));
      case 7: {
        const std::uint8_t size = input.Byte();
        // May be a CONNECT that says something else than we know.
        if (!broker_->Knows(id)) ends_[id].strange = true;
        return Give(id, input.Take(size));
      }
      case 8:
        ends_[id].closed = true;
        broker_->Closed(id, now_);
        return Perform();
      case 9:
        now_ += std::chrono::seconds(input.Byte());
        broker_->Tick(now_);
        return Perform();
      case 10:
        return Commit();
      case 11:
        if (input.Byte() % 8 != 0) return Commit();
        work_.clear();
        for (auto& [each, end] : ends_) end.closed = true;
        return Start();
      case 12: {
        const std::uint8_t how = input.Byte();
        return Give(id, PubRec(ends_[id], how));
      }
      case 13: {
        auto& open = ends_[id].unreleased;
        const std::uint16_t packet = open.empty() ? 0x1000 + input.Byte() : *open.begin();
        open.erase(packet);
        return Give(
            id, Encode(Ack{PacketType::kPubComp, packet, Reason::kSuccess, {}}, ends_[id].version));
      }
      case 14:  // of a message that it sent, or did not
        return Give(id, Encode(Ack{PacketType::kPubRel,
                                   static_cast<std::uint16_t>(1 + input.Byte() % 16),
                                   Reason::kSuccess,
                                   {}},
                               ends_[id].version));
      case 15:
        return broker_->StoreWritable(input.Byte() % 4 != 0);
      case 16:
        return CommitSome(input.Byte() % 4);
    }
  }

  // Whoever owns a queue returns; then nothing is left that nobody will get.
  void End() {
    Commit();
    broker_->Shutdown(now_);
    Perform();
    Commit();
    Require(broker_->connections() == 0, "shutting down closes everything");
    now_ += std::chrono::hours(24 * 365);
    for (int i = 0; i < 3; ++i) {
      broker_->Tick(now_);
      Perform();
      Commit();
    }
    Require(broker_->sessions() == 0, "every session expires");
    Require(store_.sessions() == 0, "and is gone from the store");
    Require(store_.queued() == 0 && store_.messages() == 0, "with everything that waited for it");
  }

 private:
  void Start() {
    Limits limits;
    limits.queue_messages = 20;
    limits.service_queue_messages = 20;
    limits.uncommitted = 16;
    limits.receive_maximum = 4;
    limits.in_flight = 4;
    limits.sessions = 12;
    limits.subscriptions = 4;
    limits.retained_messages = 4;
    limits.unsent_bytes = 2000;
    limits.partial_bytes = 4000;
    limits.packet_bytes = 1000;
    broker_ = std::make_unique<Broker>(
        allow_, Broker::Options{limits, [this] { return "auto" + std::to_string(++assigned_); },
                                std::chrono::seconds(10)});
    broker_->Restore(store_.Load(), now_);
    Perform();
  }

  // The receiver takes the oldest message or refuses it, or says so of one that was never sent.
  static Bytes PubRec(FarEnd& end, std::uint8_t how) {
    const bool refuses = how % 4 == 0 && end.version == Version::k5;
    std::uint16_t packet = 0x1000 + how;
    if (!end.unacknowledged.empty()) {
      packet = *end.unacknowledged.begin();
      end.unacknowledged.erase(packet);
      if (!refuses) end.unreleased.insert(packet);
    }
    const Reason reason = refuses ? Reason::kUnspecifiedError : Reason::kSuccess;
    return Encode(Ack{PacketType::kPubRec, packet, reason, {}}, end.version);
  }

  void Open() {
    if (ends_.size() > 64) return;
    ends_[++last_] = FarEnd{};
    broker_->Open(last_, {}, now_);
    Perform();
  }

  ConnectionId Pick(std::uint8_t byte) {
    if (last_ == 0) Open();
    const ConnectionId newest = std::min<ConnectionId>(last_, 6);
    return last_ - byte % newest;
  }

  Connect MakeConnect(ConnectionId id, Input& input) {
    const std::uint8_t flags = input.Byte();
    const std::uint8_t more = input.Byte();
    Connect connect;
    connect.version = (flags & 1) != 0 ? Version::k5 : Version::k311;
    if (broker_->Knows(id)) connect.version = ends_[id].version;
    ends_[id].version = connect.version;
    connect.clean_start = (flags & 2) != 0;
    connect.client_id = "c" + std::to_string(more % 5);
    connect.keep_alive_seconds = more;
    if (connect.version == Version::k5) {
      if ((flags & 4) != 0) connect.properties.Add(PropertyId::kSessionExpiryInterval, more);
      if ((flags & 8) != 0) {
        connect.properties.Add(PropertyId::kReceiveMaximum, 1 + more % 3);
        // A second CONNECT changes nothing but ends the connection.
        if (!broker_->Knows(id)) ends_[id].receive_maximum = 1 + more % 3U;
      }
      if ((flags & 16) != 0) {
        connect.properties.Add(PropertyId::kMaximumPacketSize, 20 + more);
        if (!broker_->Knows(id)) ends_[id].max_packet_bytes = 20U + more;
      }
      if ((flags & 128) != 0) {
        connect.properties.Add(PropertyId::kTopicAliasMaximum, 1 + more % 4);
        connect.properties.Add(PropertyId::kRequestProblemInformation, more & 1);
        if (!broker_->Knows(id)) ends_[id].alias_maximum = 1 + more % 4U;
      }
    }
    if ((flags & 32) != 0) {
      connect.will = Will{"will", "w", static_cast<Qos>(more % 3), (flags & 64) != 0, {}};
      if (connect.version == Version::k5) {
        connect.will->properties.Add(PropertyId::kWillDelayInterval, more % 30);
      }
    }
    return connect;
  }

  static Publish MakePublish(Input& input) {
    const std::uint8_t flags = input.Byte();
    Publish publish;
    publish.topic = kNames[input.Byte() % kNames.size()];
    publish.qos = static_cast<Qos>((flags & 3) % 3);
    publish.retain = (flags & 64) != 0;
    if (publish.qos != Qos::kAtMostOnce) publish.packet_id = 1 + (flags >> 4);
    publish.dup = publish.qos != Qos::kAtMostOnce && (flags & 128) != 0;
    if ((flags & 4) != 0) publish.properties.Add(PropertyId::kMessageExpiryInterval, flags >> 3);
    if ((flags & 8) != 0) publish.properties.Add(PropertyId::kTopicAlias, 1 + flags % 9);
    publish.payload.assign(input.Byte(), 'p');
    return publish;
  }

  static Subscribe MakeSubscribe(Input& input) {
    Subscribe subscribe;
    subscribe.packet_id = 1;
    const std::uint8_t flags = input.Byte();
    if ((flags & 1) != 0) subscribe.properties.Add(PropertyId::kSubscriptionIdentifier, 1 + flags);
    for (int i = 0; i <= flags % 3; ++i) {
      SubscribeOptions options;
      options.qos = static_cast<Qos>((flags >> 1) % 3);
      options.retain_as_published = (flags & 8) != 0;
      options.retain_handling = static_cast<RetainHandling>((flags >> 4) % 3);
      subscribe.entries.push_back({kFilters[input.Byte() % kFilters.size()], options});
    }
    return subscribe;
  }

  void Give(ConnectionId id, BytesView bytes) {
    broker_->Receive(id, bytes, now_);
    Perform();
  }

  void Perform() {
    for (auto effects = broker_->TakeEffects(); !effects.empty();
         effects = broker_->TakeEffects()) {
      for (Effect& effect : effects) PerformOne(effect);
    }
  }

  void PerformOne(Effect& effect) {
    if (const auto* send = std::get_if<Send>(&effect)) {
      FarEnd& end = ends_.at(send->connection);
      Require(!end.closed, "nothing is sent to a connection that is closed");
      broker_->Sent(send->connection, send->Size(), now_);
      if (end.strange) return;
      Bytes bytes;
      AppendSend(bytes, *send);
      const auto packet = Decode(bytes, end.version);
      Require(packet.has_value(), "what is sent decodes");
      Require(bytes.size() <= end.max_packet_bytes, "no packet is larger than agreed");
      if (const auto* publish = std::get_if<Publish>(&*packet)) CheckPublish(end, *publish);
    } else if (const auto* close = std::get_if<Close>(&effect)) {
      Require(!ends_.at(close->connection).closed, "a connection is closed once");
      ends_.at(close->connection).closed = true;
    } else if (std::holds_alternative<Keep>(effect) || std::holds_alternative<ReadPage>(effect) ||
               std::holds_alternative<Sweep>(effect)) {
      work_.push_back(std::move(effect));
    }
  }

  static void CheckPublish(FarEnd& end, const Publish& publish) {
    if (const auto alias = publish.properties.Number(PropertyId::kTopicAlias)) {
      Require(*alias >= 1 && *alias <= end.alias_maximum, "aliases are as agreed");
      const auto number = static_cast<std::uint16_t>(*alias);
      if (publish.topic.empty()) {
        Require(end.aliases.contains(number), "an alias was set before");
      } else {
        end.aliases[number] = publish.topic;
      }
    } else {
      Require(!publish.topic.empty(), "a message has its topic");
    }
    if (publish.qos == Qos::kAtMostOnce) return;
    Require(!end.unreleased.contains(publish.packet_id) &&
                end.unacknowledged.insert(publish.packet_id).second,
            "a packet identifier is in use once");
    Require(end.unacknowledged.size() + end.unreleased.size() <=
                std::min<std::size_t>(4, end.receive_maximum),
            "no more in flight than agreed");
  }

  void Commit() { CommitSome(work_.size()); }

  void CommitSome(std::size_t effects) {
    // What comes of it may be to be stored in its turn.
    for (const bool all = effects == work_.size(); !work_.empty() && (all || effects > 0);
         --effects) {
      Effect effect = std::move(work_.front());
      work_.pop_front();
      if (const auto* keep = std::get_if<Keep>(&effect)) {
        store_.Apply(keep->batch);
        broker_->Committed(keep->batch.number, now_);
      } else if (const auto* page = std::get_if<ReadPage>(&effect)) {
        broker_->Paged(store_.Read(page->request), now_);
      } else if (const auto* sweep = std::get_if<Sweep>(&effect)) {
        broker_->Expired(store_.DropExpired(sweep->now));
      }
      Perform();
    }
  }

  const AllowAll allow_;
  FakeStore store_;
  std::unique_ptr<Broker> broker_;
  std::deque<Effect> work_;
  std::map<ConnectionId, FarEnd> ends_;
  ConnectionId last_ = 0;
  int assigned_ = 0;
  UtcTime now_{std::chrono::hours(24 * 365 * 50)};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  Scene scene;
  while (!input.empty()) scene.Step(input);
  scene.End();
  return 0;
}
