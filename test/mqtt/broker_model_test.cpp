// A random population of clients against the broker and against the model of the standard
// (model.h): the deliveries are the same. What fails is made as short as it will go.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "test/mqtt/broker_world.h"
#include "test/mqtt/client_rules.h"
#include "test/mqtt/model.h"
#include "test/mqtt/scenario_packet.h"
#include "test/sanitizers.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kSubscribers = 5;  // with subscriptions of their own
constexpr std::size_t kWorkers = 3;      // with shared ones only: whose copy it is must be plain
constexpr std::size_t kSteps = 3000;
constexpr std::size_t kMostOpen = 10;  // QoS 2 exchanges of one client
constexpr int kShrinkRuns = 400;
constexpr unsigned kSeeds = kAddressSanitizer ? 4 : 12;  // ten times slower with it

const std::vector<std::string> kTopics{"a", "a/b", "a/b/c", "b", "b/c", "/", "$x/y", "w/free"};
const std::vector<std::string> kFilters{"a",   "a/b", "a/+",  "a/#", "#",   "+/b",  "+",
                                        "+/+", "b/#", "$x/#", "w/+", "+/#", "a/b/c"};
// No topic belongs to two groups: nothing would tell their copies apart.
const std::vector<std::string> kShared{"$share/g/a/#", "$share/h/b", "$share/h/b/+", "$share/i/w/+",
                                       "$share/i/$x/#"};

// One step, as numbers; what they mean depends on how things stand when it is taken, so that any
// part of a run is a run.
struct Action {
  std::uint32_t kind = 0;
  std::uint32_t who = 0;
  std::uint32_t seed = 0;
};

struct Actor {
  std::string name;
  bool is_worker = false;
  Client* client = nullptr;  // null: not connected
  Version version{};
  std::optional<ClientRules> rules;
  std::deque<Packet> answers;
  std::vector<Ack> due;  // what it has to acknowledge
  std::uint16_t counter = 0;
  std::map<std::uint16_t, Publish> open;  // its QoS 2 messages, by identifier
  std::set<std::uint16_t> released;       // those whose PUBREL has been sent
};

Limits LimitsOfModel() {
  Limits limits;
  limits.max_keep_alive = std::chrono::seconds(65'535);
  return limits;
}

class Population {
 public:
  Population() : world_(LimitsOfModel()) {
    for (std::size_t i = 0; i < kSubscribers + kWorkers; ++i) {
      Actor& actor = actors_.emplace_back();
      actor.is_worker = i >= kSubscribers;
      actor.name = (actor.is_worker ? "worker" : "client") + std::to_string(i);
    }
    model_.Advance(world_.now);
  }

  // Throws ModelViolation.
  void Take(const Action& action) {
    random_.seed(action.seed);
    Actor& actor = actors_[action.who % actors_.size()];
    if (actor.client == nullptr && action.kind % 100 < 90) return Connect(actor);
    switch (action.kind % 100) {
      case 0 ... 3:
        return Drop(actor);
      case 4 ... 6:
        return Disconnect(actor);
      case 7 ... 10:
        return Connect(actor);  // takes over
      case 11 ... 22:
        return Subscribe(actor);
      case 23 ... 26:
        return Unsubscribe(actor);
      case 27 ... 54:
        return Publish(actor);
      case 55 ... 60:
        return Repeat(actor);
      case 61 ... 68:
        return Release(actor);
      case 69 ... 88:
        return Acknowledge(actor);
      case 89 ... 97:
        return Pass();
      default:
        if (Below(4) == 0) Kill();
    }
  }

  const std::string& log() const { return log_; }

 private:
  std::size_t Below(std::size_t n) { return random_() % n; }
  template <typename T>
  const T& Any(const std::vector<T>& of) {
    return of[Below(of.size())];
  }
  void Log(const std::string& line) { log_ += "    " + line + "\n"; }

  void Send(Actor& actor, const Packet& packet) {
    Log(actor.name + " -> " + DescribePacket(packet));
    actor.rules->Sent(packet);
    actor.client->Send(packet);
  }

  // Takes in everything that came, wherever it came.
  void Settle() {
    for (Actor& actor : actors_) {
      while (actor.client != nullptr && !actor.client->inbox.empty()) TakeIn(actor);
      if (actor.client != nullptr && actor.client->closed) {
        throw ModelViolation("the broker closed the connection of " + actor.name);
      }
    }
    model_.CheckNothingIsWithheld();
  }

  void TakeIn(Actor& actor) {
    const Packet packet = std::move(actor.client->inbox.front());
    actor.client->inbox.pop_front();
    Log(actor.name + " <- " + DescribePacket(packet));
    const std::string broken = actor.rules->Got(packet, Encode(packet, actor.version).size());
    if (!broken.empty()) throw ModelViolation(actor.name + " got " + broken);
    const auto* ack = std::get_if<Ack>(&packet);
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
      model_.Got(actor.name, *publish, actor.rules->TopicOf(*publish));
      const bool is_qos2 = publish->qos == Qos::kExactlyOnce;
      if (publish->qos == Qos::kAtMostOnce) return;
      actor.due.push_back({is_qos2 ? PacketType::kPubRec : PacketType::kPubAck,
                           publish->packet_id,
                           Reason::kSuccess,
                           {}});
    } else if (ack != nullptr && ack->type == PacketType::kPubRel) {
      model_.GotRelease(actor.name, ack->packet_id);
      actor.due.push_back({PacketType::kPubComp, ack->packet_id, Reason::kSuccess, {}});
    } else {
      actor.answers.push_back(packet);
    }
  }

  // The one answer that must have come.
  template <typename T>
  T Answer(Actor& actor) {
    Settle();
    if (actor.answers.size() != 1 || !std::holds_alternative<T>(actor.answers.front())) {
      throw ModelViolation(actor.name + " did not get its answer");
    }
    T answer = std::get<T>(std::move(actor.answers.front()));
    actor.answers.clear();
    return answer;
  }
  void AnswerIs(Actor& actor, PacketType type, std::uint16_t id,
                std::optional<bool> matched = std::nullopt) {
    const Ack ack = Answer<Ack>(actor);
    const bool tells = actor.version == Version::k5 && matched.has_value();
    const Reason wanted = tells && !*matched ? Reason::kNoMatchingSubscribers : Reason::kSuccess;
    if (ack.type != type || ack.packet_id != id || ack.reason != wanted) {
      throw ModelViolation(actor.name + " got " + DescribePacket(ack) + ", not " +
                           std::string(PacketName(type)) + " with " +
                           std::string(ReasonName(wanted)));
    }
  }

  void Forget(Actor& actor) {
    actor.client = nullptr;
    actor.due.clear();
    actor.answers.clear();
  }

  void Connect(Actor& actor) {
    mqtt::Connect connect;
    connect.client_id = actor.name;
    connect.version = Below(3) == 0 ? Version::k311 : Version::k5;
    connect.clean_start = Below(5) == 0;
    Properties& p = connect.properties;
    if (connect.version == Version::k5) {
      const std::uint32_t expiry = Any(std::vector<std::uint32_t>{0, 5, 60, 3600, 3600, 3600});
      if (expiry > 0) p.Add(PropertyId::kSessionExpiryInterval, expiry);
      const std::uint32_t window = Any(std::vector<std::uint32_t>{0, 0, 1, 2, 5});
      if (window > 0) p.Add(PropertyId::kReceiveMaximum, window);
      if (!actor.is_worker && Below(4) == 0) p.Add(PropertyId::kMaximumPacketSize, 200);
      if (Below(3) == 0) p.Add(PropertyId::kTopicAliasMaximum, 1 + Below(5));
    }
    if (Below(3) == 0) {
      Will& will = connect.will.emplace();
      will.topic = "w/" + actor.name;
      will.payload = "will" + std::to_string(++last_payload_);
      will.qos = static_cast<Qos>(Below(3));
      const bool is_kept = connect.version == Version::k311
                               ? !connect.clean_start
                               : p.Find(PropertyId::kSessionExpiryInterval) != nullptr;
      // Whether one that is lost with a kill is retained cannot be known.
      will.retain = is_kept && Below(2) == 0;
      if (connect.version == Version::k5 && Below(2) == 0) {
        will.properties.Add(PropertyId::kWillDelayInterval, 1 + Below(10));
      }
    }
    Client* old = actor.client;
    const Version old_version = actor.version;
    actor.version = connect.version;
    actor.rules.emplace(connect.version);
    actor.rules->Sent(connect);
    Log(actor.name + " -> " + DescribePacket(connect) + " (" +
        (connect.version == Version::k5 ? "5.0)" : "3.1.1)"));
    const bool is_present = model_.Connect(connect, LimitsOfModel().max_session_expiry);
    actor.client = &world_.Connect(connect);
    if (old != nullptr) CheckTakenOver(actor, *old, old_version);
    actor.due.clear();
    const ConnAck ack = Answer<ConnAck>(actor);
    if (ack.code != 0 || ack.session_present != is_present) {
      throw ModelViolation(actor.name + " got " + DescribePacket(ack) + ", session present is " +
                           std::to_string(is_present));
    }
    if (is_present) return;
    actor.open.clear();
    actor.released.clear();
  }

  void CheckTakenOver(const Actor& actor, Client& old, Version version) {
    if (!old.closed) throw ModelViolation(actor.name + ": the old connection is left open");
    // The will of a session may have come before the end, if it subscribed to it.
    while (old.inbox.size() > 1) old.inbox.pop_front();
    const bool is_told =
        !old.inbox.empty() && std::holds_alternative<mqtt::Disconnect>(old.inbox.back());
    if (is_told != (version == Version::k5)) {
      throw ModelViolation(actor.name + ": the old connection is not told");
    }
  }

  void Drop(Actor& actor) {
    Log(actor.name + " drops");
    actor.client->Drop();
    model_.Dropped(actor.name);
    Forget(actor);
    Settle();
  }

  void Disconnect(Actor& actor) {
    mqtt::Disconnect disconnect;
    if (actor.version == Version::k5 && Below(2) == 0) {
      disconnect.reason = Reason::kDisconnectWithWill;
    }
    Send(actor, disconnect);
    model_.Disconnected(actor.name, disconnect);
    if (!actor.client->closed) throw ModelViolation(actor.name + " is not closed");
    Forget(actor);
    Settle();
  }

  void Subscribe(Actor& actor) {
    mqtt::Subscribe subscribe;
    subscribe.packet_id = ++actor.counter;
    const bool is_5 = actor.version == Version::k5;
    for (std::size_t n = 1 + Below(2); n > 0; --n) {
      mqtt::Subscribe::Entry entry;
      entry.filter = Any(actor.is_worker ? kShared : kFilters);
      if (!subscribe.entries.empty() && subscribe.entries[0].filter == entry.filter) break;
      entry.options.qos = static_cast<Qos>(Below(3));
      if (is_5) {
        entry.options.no_local = !actor.is_worker && Below(3) == 0;
        entry.options.retain_as_published = Below(2) == 0;
        entry.options.retain_handling = static_cast<RetainHandling>(Below(3));
      }
      subscribe.entries.push_back(entry);
    }
    if (is_5 && Below(2) == 0) {
      subscribe.properties.Add(PropertyId::kSubscriptionIdentifier, 1 + Below(9));
    }
    Send(actor, subscribe);
    model_.Subscribed(actor.name, subscribe);
    const SubAck ack = Answer<SubAck>(actor);
    for (std::size_t i = 0; i < subscribe.entries.size(); ++i) {
      if (ack.reasons.at(i) != static_cast<Reason>(subscribe.entries[i].options.qos)) {
        throw ModelViolation(actor.name + " was not granted " + subscribe.entries[i].filter);
      }
    }
  }

  void Unsubscribe(Actor& actor) {
    mqtt::Unsubscribe unsubscribe;
    unsubscribe.packet_id = ++actor.counter;
    unsubscribe.filters = {Any(actor.is_worker ? kShared : kFilters)};
    Send(actor, unsubscribe);
    const bool existed = model_.Unsubscribed(actor.name, unsubscribe).at(0);
    const UnsubAck ack = Answer<UnsubAck>(actor);
    if (actor.version == Version::k5 && (ack.reasons.at(0) == Reason::kSuccess) != existed) {
      throw ModelViolation(actor.name + " was told wrongly whether it had subscribed");
    }
  }

  void Publish(Actor& actor) {
    mqtt::Publish publish;
    publish.topic = Any(kTopics);
    publish.qos = static_cast<Qos>(Below(3));
    publish.retain = Below(4) == 0;
    if (!publish.retain || Below(3) > 0) {
      publish.payload = std::to_string(++last_payload_);
      // Not retained: of two copies alike one may have been left out as too large, one not.
      if (!publish.retain && Below(8) == 0) publish.payload += Bytes(250, 'x');
    }
    // Empty ones must be all alike, for nothing would tell which of them has come.
    if (publish.payload.empty()) publish.qos = Qos::kAtLeastOnce;
    if (actor.version == Version::k5 && !publish.payload.empty()) {
      if (Below(4) == 0) publish.properties.Add(PropertyId::kMessageExpiryInterval, 1 + Below(10));
      if (Below(4) == 0) publish.properties.AddUser("b", "1").AddUser("a", "2");
      if (Below(8) == 0) publish.properties.Add(PropertyId::kContentType, "text");
    }
    if (publish.qos == Qos::kExactlyOnce && actor.open.size() >= kMostOpen) return;
    if (publish.qos != Qos::kAtMostOnce) {
      do {
        ++actor.counter;
      } while (actor.counter == 0 || actor.open.contains(actor.counter));
      publish.packet_id = actor.counter;
    }
    Send(actor, publish);
    const auto matched = model_.Published(actor.name, publish);
    if (publish.qos == Qos::kAtMostOnce) return Settle();
    if (publish.qos == Qos::kExactlyOnce) actor.open[publish.packet_id] = publish;
    AnswerIs(actor, publish.qos == Qos::kAtLeastOnce ? PacketType::kPubAck : PacketType::kPubRec,
             publish.packet_id, matched);
  }

  // Sends a QoS 2 message again; the broker must know it.
  void Repeat(Actor& actor) {
    if (actor.open.empty()) return;
    const auto at =
        std::next(actor.open.begin(), static_cast<std::ptrdiff_t>(Below(actor.open.size())));
    if (actor.released.contains(at->first)) return;
    mqtt::Publish publish = at->second;
    publish.dup = true;
    if (actor.version == Version::k311) publish.properties = {};
    Send(actor, publish);
    if (model_.Published(actor.name, publish)) throw ModelViolation("the test repeats wrongly");
    AnswerIs(actor, PacketType::kPubRec, publish.packet_id);
  }

  void Release(Actor& actor) {
    if (actor.open.empty()) return;
    const auto at =
        std::next(actor.open.begin(), static_cast<std::ptrdiff_t>(Below(actor.open.size())));
    const std::uint16_t id = at->first;
    actor.open.erase(at);
    Send(actor, Ack{PacketType::kPubRel, id, Reason::kSuccess, {}});
    model_.ReleasedByClient(actor.name, id);
    AnswerIs(actor, PacketType::kPubComp, id);
  }

  void Acknowledge(Actor& actor) {
    for (std::size_t n = 1 + Below(4); n > 0 && !actor.due.empty(); --n) {
      const auto at = actor.due.begin() +
                      static_cast<std::ptrdiff_t>(Below(3) == 0 ? Below(actor.due.size()) : 0);
      Ack ack = *at;
      actor.due.erase(at);
      if (actor.version == Version::k5 && ack.type != PacketType::kPubComp && Below(10) == 0) {
        ack.reason = Reason::kQuotaExceeded;
      }
      Send(actor, ack);
      model_.AcknowledgedByClient(actor.name, ack);
      Settle();
    }
  }

  void Pass() {
    const std::size_t seconds = Below(30) == 0 ? 120 : 1 + Below(4);
    Log(std::to_string(seconds) + " seconds pass");
    for (std::size_t i = 0; i < seconds; ++i) {
      world_.Pass(1s);
      model_.Advance(world_.now);
      Settle();
    }
  }

  void Kill() {
    Log("the broker is killed");
    world_.Restart();
    for (Actor& actor : actors_) Forget(actor);
    world_.Pass(0s);
    model_.BrokerKilled();
    Settle();
  }

  World world_;
  Model model_;
  std::vector<Actor> actors_;
  std::mt19937 random_;
  std::size_t last_payload_ = 0;
  std::string log_;
};

struct Failure {
  std::string what;
  std::string log;
  std::size_t steps = 0;  // until then
};

std::optional<Failure> RunAll(const std::vector<Action>& actions) {
  Population population;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    try {
      population.Take(actions[i]);
    } catch (const ModelViolation& violation) {
      return Failure{violation.what(), population.log(), i + 1};
    }
  }
  return std::nullopt;
}

// Takes out parts, larger ones first, as long as it still fails.
Failure Shrink(std::vector<Action>& actions, Failure failure) {
  actions.resize(failure.steps);
  int runs = 0;
  for (std::size_t part = actions.size() / 2; part > 0 && runs < kShrinkRuns;) {
    bool is_shorter = false;
    for (std::size_t at = 0; at < actions.size() && runs < kShrinkRuns;) {
      std::vector<Action> fewer = actions;
      const auto from = fewer.begin() + static_cast<std::ptrdiff_t>(at);
      fewer.erase(from, from + static_cast<std::ptrdiff_t>(std::min(part, fewer.size() - at)));
      ++runs;
      if (auto still = RunAll(fewer)) {
        fewer.resize(still->steps);
        actions = std::move(fewer);
        failure = std::move(*still);
        is_shorter = true;
      } else {
        at += part;
      }
    }
    if (!is_shorter || part > actions.size()) part /= 2;
  }
  return failure;
}

std::vector<Action> Actions(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Action> actions(kSteps);
  for (Action& action : actions) {
    action.kind = static_cast<std::uint32_t>(random());
    action.who = static_cast<std::uint32_t>(random());
    action.seed = static_cast<std::uint32_t>(random());
  }
  return actions;
}

TEST_CASE("broker: a random population gets what the model of the standard says", "[mqtt]") {
  const auto number = [](const char* name, unsigned otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : static_cast<unsigned>(std::atoi(text));
  };
  const unsigned first = number("MIG_MODEL_SEED", 1);  // to repeat what failed, or to go further
  const unsigned count = number("MIG_MODEL_SEEDS", kSeeds);
  for (unsigned seed = first; seed < first + count; ++seed) {
    std::vector<Action> actions = Actions(seed);
    auto failure = RunAll(actions);
    if (!failure) continue;
    const std::size_t before = failure->steps;
    const Failure shortest = Shrink(actions, std::move(*failure));
    FAIL("seed " << seed << ", step " << before << "; the shortest run that was found has "
                 << actions.size() << " steps:\n"
                 << shortest.log << shortest.what);
  }
  SUCCEED();
}

}  // namespace
}  // namespace mig::mqtt
