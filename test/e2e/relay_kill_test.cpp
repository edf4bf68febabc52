// kill -9 of the relay at any moment, while publishers, subscribers, absent sessions, groups of
// shared subscribers and retained messages are busy. What was acknowledged arrives; of QoS 2 once;
// in the order in which each publisher sent it.
//
// MIG_KILLS sets how many kills there are, four for each of its number (default 50: a relay alone
// starts faster than a lab); MIG_SEED the course of the test.
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>

#include "test/e2e/mqtt_swarm.h"
#include "test/e2e/process.h"
#include "test/temp_folder.h"

namespace mig::e2e {
namespace {

using namespace mqtt;
using namespace std::chrono_literals;

constexpr auto kPatience = 60s;
constexpr std::size_t kWindow = 10;  // of a publisher
constexpr int kPublishers = 4;
constexpr int kAbsent = 4;
constexpr int kMembers = 3;

unsigned Setting(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::max(1, std::atoi(text)));
}

// The messages of one publisher on one topic with one QoS: numbered 1, 2, 3 …
struct Stream {
  Qos qos{};
  std::uint64_t sent = 0;
  std::uint64_t accepted = 0;  // all up to here
  std::set<std::uint64_t> accepted_early;

  void Accept(std::uint64_t number) {
    accepted_early.insert(number);
    while (accepted_early.erase(accepted + 1) > 0) ++accepted;
  }
};

// What one receiver has of each stream.
struct Received {
  std::uint64_t up_to = 0;
  std::uint64_t again = 0;
};

struct Label {
  std::string stream;
  std::uint64_t number = 0;
};

Label LabelOf(const Bytes& payload) {
  const auto space = payload.find(' ');
  return {payload.substr(0, space), std::stoull(payload.substr(space + 1))};
}

class World {
 public:
  World(unsigned seed, std::filesystem::path store) : random_(seed), store_(std::move(store)) {
    for (int i = 0; i < kPublishers; ++i) AddPublisher(i);
    for (const Version version : {Version::k311, Version::k5}) {
      const std::string name = version == Version::k5 ? "5" : "311";
      for (const Qos qos : {Qos::kAtLeastOnce, Qos::kExactlyOnce}) {
        AddReceiver("live-" + name + "-" + std::to_string(static_cast<int>(qos)), version, qos);
      }
    }
    for (int i = 0; i < kAbsent; ++i) {
      AddReceiver("absent-" + std::to_string(i), i % 2 == 0 ? Version::k5 : Version::k311,
                  i < 2 ? Qos::kExactlyOnce : Qos::kAtLeastOnce);
    }
    for (int i = 0; i < kMembers; ++i) AddMember(i);
    reader_ = std::make_unique<SwarmClient>(swarm_, "reader", Version::k5, true);
    reader_->WantSubscription("r/#", Qos::kAtLeastOnce);
    reader_->on_message = [this](const Publish& publish) { TakeRetained(publish); };
  }

  void Start(std::chrono::seconds patience = 20s) {
    std::vector<std::string> words{MIG_BUILD_DIR "/mig", "relay",   "--open",       "--listen",
                                   "127.0.0.1:0",        "--store", store_.string()};
    for (const char* limit : {"queue_messages=10000000", "queue_bytes=1g"}) {
      words.emplace_back("--limit");
      words.emplace_back(limit);
    }
    relay_ = std::make_unique<Background>(words);
    if (patience == 0s) return;
    if (!relay_->WaitForOutput("sessions=", patience)) FAIL("no start: " + relay_->err());
    const std::string& log = relay_->err();
    const auto at = log.find("port=");
    REQUIRE(at != std::string::npos);
    port_ = static_cast<std::uint16_t>(std::atoi(log.c_str() + at + 5));
  }

  void Kill() {
    relay_->Signal(SIGKILL);
    const auto outcome = relay_->Wait(20s);
    REQUIRE(outcome);
    INFO(outcome->err);
    CHECK(outcome->status == 128 + SIGKILL);
    CHECK(outcome->err.find("starting empty") == std::string::npos);
    relay_.reset();
    for (auto& client : clients_) client->Down();
    reader_->Down();
  }

  void StopInOrder() {
    relay_->Signal(SIGTERM);
    const auto outcome = relay_->Wait(20s);
    REQUIRE(outcome);
    INFO(outcome->err);
    CHECK(outcome->status == 0);
    relay_.reset();
    for (auto& client : clients_) client->Down();
  }

  // Everybody makes a session and subscribes.
  void Prepare() {
    Start();
    for (auto& client : clients_) client->Connect(port_);
    RunUntil([this] {
      return std::ranges::all_of(clients_, [](const auto& client) { return client->up(); }) &&
             std::ranges::all_of(receivers_,
                                 [](const auto& client) { return client->subscribed(); });
    });
    Resume();
  }

  // One life of the relay, and its end.
  void LiveAndDie() {
    if (random_() % 10 == 0) {
      Start(0s);  // killed while it starts
      swarm_.Run(std::chrono::microseconds(random_() % 30'000), [] { return false; });
      return Kill();
    }
    Start();
    std::vector<SwarmClient*> order;
    for (auto& client : clients_) order.push_back(client.get());
    std::ranges::shuffle(order, random_);
    for (SwarmClient* client : order) {
      const bool absent = client->id().starts_with("absent");
      if (!absent || random_() % 12 == 0) client->Connect(port_);
    }
    reader_->Connect(port_);
    const std::uint64_t enough = swarm_.packets() + random_() % 3000;
    const bool by_time = random_() % 2 == 0;
    const auto time = std::chrono::microseconds(random_() % 150'000);
    swarm_.Run(by_time ? time : 1s, [&] {
      // Some come and go while it lives.
      if (random_() % 200 == 0) ComeAndGo();
      return swarm_.packets() >= enough;
    });
    Kill();
  }

  void Resume() {
    publishing_ = true;
    for (SwarmClient* publisher : publishers_) Refill(*publisher);
  }

  // Everybody comes, and gets what is due. Then nothing is missing.
  void Settle() {
    Start();
    publishing_ = false;
    for (auto& client : clients_) client->Connect(port_);
    RunUntil([this] {
      return std::ranges::all_of(publishers_, [](auto* each) { return each->unanswered() == 0; }) &&
             Missing().empty();
    });
    CHECK(Missing() == "");
    // What the relay holds beyond that comes when everybody returns once more.
    StopInOrder();
    Start();
    const std::uint64_t had = deliveries_;
    for (auto& client : clients_) client->Connect(port_);
    reader_->Connect(port_);
    const std::size_t topics = retained_sent_.size();
    const std::uint64_t seen = retained_seen_;
    RunUntil([&] {
      return retained_seen_ >= seen + topics &&
             std::ranges::all_of(clients_, [](const auto& client) { return client->up(); });
    });
    CHECK(deliveries_ == had);
    for (const auto& [stream, s] : streams_) {
      INFO(stream);
      CHECK(s.accepted == s.sent);
    }
    StopInOrder();
    const Outcome check =
        Run({MIG_BUILD_DIR "/mig", "relay", "db", "check", "--store", store_.string()});
    INFO(check.err);
    CHECK(check.out == "sound\n");
  }

  const std::vector<std::string>& problems() const { return swarm_.problems(); }
  std::uint64_t messages() const {
    std::uint64_t sum = 0;
    for (const auto& [name, stream] : streams_) sum += stream.accepted;
    return sum;
  }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t repeated() const { return repeated_; }
  std::uint64_t retained_seen() const { return retained_seen_; }

 private:
  static constexpr std::size_t kLive = 4;

  SwarmClient& Add(std::string id, Version version) {
    clients_.push_back(std::make_unique<SwarmClient>(swarm_, std::move(id), version));
    return *clients_.back();
  }

  void AddPublisher(int number) {
    SwarmClient& client =
        Add("publisher-" + std::to_string(number), number % 2 == 0 ? Version::k5 : Version::k311);
    publishers_.push_back(&client);
    client.on_accepted = [this, &client](const Publish& packet, Reason reason) {
      if (static_cast<int>(reason) >= 0x80) {
        return swarm_.Problem(client.id() +
                              " was refused: " + std::to_string(static_cast<int>(reason)));
      }
      const Label label = LabelOf(packet.payload);
      streams_.at(label.stream).Accept(label.number);
      Refill(client);
    };
    client.on_up = [this, &client] { Refill(client); };
  }

  void Refill(SwarmClient& publisher) {
    while (publishing_ && publisher.unanswered() < kWindow) {
      const bool retain = random_() % 16 == 0;
      const bool is_a = random_() % 2 == 0;
      // One QoS to a retained topic: a QoS 1 message that is sent again may replace one of QoS 2
      // that the relay has had and will not take twice. Order is promised within one QoS.
      const bool once = retain ? is_a : random_() % 2 == 0;
      const Qos qos = once ? Qos::kExactlyOnce : Qos::kAtLeastOnce;
      const std::string topic = (retain ? "r/" : "t/") + publisher.id() + (is_a ? "/a" : "/b");
      const std::string name = topic + "/" + std::to_string(static_cast<int>(qos));
      Stream& stream = streams_[name];
      stream.qos = qos;
      Bytes payload = name + " " + std::to_string(++stream.sent);
      if (retain) retained_sent_[topic].push_back(payload);
      publisher.Publish(topic, std::move(payload), qos, retain);
    }
  }

  void AddReceiver(std::string id, Version version, Qos qos) {
    SwarmClient& client = Add(std::move(id), version);
    receivers_.push_back(&client);
    client.WantSubscription("t/#", qos);
    client.on_message = [this, &client, qos](const Publish& publish) {
      ++deliveries_;
      const Label label = LabelOf(publish.payload);
      const Stream& stream = streams_.at(label.stream);
      Received& have = received_[client.id()][label.stream];
      const std::string where = client.id() + ", " + label.stream + ": ";
      if (publish.qos != std::min(qos, stream.qos)) swarm_.Problem(where + "QoS changed");
      if (label.number > stream.sent) swarm_.Problem(where + "what nobody sent");
      if (label.number > have.up_to + 1) {
        return swarm_.Problem(where + std::to_string(label.number) + " follows " +
                              std::to_string(have.up_to));
      }
      if (label.number == have.up_to + 1) {
        ++have.up_to;
        return;
      }
      ++repeated_;
      if (publish.qos == Qos::kExactlyOnce) {
        swarm_.Problem(where + std::to_string(label.number) + " of QoS 2 again, after " +
                       std::to_string(have.up_to));
      }
    };
  }

  // All members see the stream between them.
  void AddMember(int number) {
    SwarmClient& client =
        Add("member-" + std::to_string(number), number == 0 ? Version::k311 : Version::k5);
    receivers_.push_back(&client);
    client.WantSubscription("$share/group/t/#", Qos::kExactlyOnce);
    client.on_message = [this, &client](const Publish& publish) {
      ++deliveries_;
      const Label label = LabelOf(publish.payload);
      const bool is_new = group_[label.stream].insert(label.number).second;
      if (!is_new) ++repeated_;
      if (!is_new && publish.qos == Qos::kExactlyOnce) {
        swarm_.Problem(client.id() + ", " + label.stream + ": " + std::to_string(label.number) +
                       " of QoS 2 twice within the group");
      }
    };
  }

  // What is retained under a topic is the last that was accepted there, or one that was sent after
  // it.
  void TakeRetained(const Publish& publish) {
    if (!publish.retain) return;
    ++retained_seen_;
    const auto& sent = retained_sent_[publish.topic];
    const auto at = std::ranges::find(sent, publish.payload);
    if (at == sent.end()) return swarm_.Problem("retained, and never sent: " + publish.payload);
    for (auto later = at + 1; later != sent.end(); ++later) {
      const Label label = LabelOf(*later);
      const Stream& stream = streams_.at(label.stream);
      if (stream.accepted >= label.number && !InDoubt(publish.topic)) {
        return swarm_.Problem("retained is " + publish.payload + ", though " + *later +
                              " was accepted");
      }
    }
  }

  // While messages for the topic are under way, what is read now may have been sent before the last
  // acknowledgement that came.
  bool InDoubt(const std::string& topic) const {
    return std::ranges::any_of(streams_, [&](const auto& each) {
      return each.first.starts_with(topic) && each.second.accepted != each.second.sent;
    });
  }

  void ComeAndGo() {
    SwarmClient& client = *receivers_[random_() % receivers_.size()];
    if (client.down()) {
      client.Connect(port_);
    } else if (random_() % 2 == 0) {
      client.Disconnect();
    } else {
      client.Down();
    }
  }

  // The first thing that somebody should have and has not.
  std::string Missing() const {
    for (const auto& [name, stream] : streams_) {
      if (!name.starts_with("t/")) continue;
      for (std::size_t i = 0; i < kLive + kAbsent; ++i) {
        const std::string& id = receivers_[i]->id();
        const auto& all = received_.at(id);
        const auto have = all.find(name);
        const std::uint64_t up_to = have == all.end() ? 0 : have->second.up_to;
        if (up_to < stream.accepted) {
          return id + " has " + name + " up to " + std::to_string(up_to) + " of " +
                 std::to_string(stream.accepted);
        }
      }
      const auto group = group_.find(name);
      const std::size_t have = group == group_.end() ? 0 : group->second.size();
      if (have < stream.accepted) {
        return "the group has " + std::to_string(have) + " of " + name + ", which has " +
               std::to_string(stream.accepted);
      }
    }
    return "";
  }

  template <typename Condition>
  void RunUntil(Condition done) {
    if (!swarm_.Run(kPatience, done)) {
      FAIL("not within a minute; missing: " + Missing() + "\n" + relay_->err());
    }
  }

  std::mt19937 random_;
  const std::filesystem::path store_;
  Swarm swarm_;
  std::unique_ptr<Background> relay_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<SwarmClient>> clients_;
  std::vector<SwarmClient*> publishers_, receivers_;
  std::unique_ptr<SwarmClient> reader_;
  bool publishing_ = false;

  std::map<std::string, Stream> streams_;
  std::map<std::string, std::map<std::string, Received>> received_;  // by client, by stream
  std::map<std::string, std::set<std::uint64_t>> group_;             // by stream
  std::map<std::string, std::vector<Bytes>> retained_sent_;          // by topic
  std::uint64_t deliveries_ = 0;
  std::uint64_t repeated_ = 0;  // of QoS 1
  std::uint64_t retained_seen_ = 0;
};

TEST_CASE("kill: the relay loses nothing that it acknowledged, and doubles no QoS 2", "[kill]") {
  const unsigned kills = 4 * Setting("MIG_KILLS", 50);
  const unsigned seed = Setting("MIG_SEED", 20261123);
  TempFolder folder;
  World world(seed, folder / "relay.db");
  INFO("seed " << seed);
  world.Prepare();
  world.Kill();
  for (unsigned i = 0; i < kills && world.problems().empty(); ++i) {
    INFO("kill " << i);
    world.LiveAndDie();
    if (i % 50 == 49 && world.problems().empty()) {
      world.Settle();
      world.Resume();
    }
  }
  if (world.problems().empty()) world.Settle();
  for (const std::string& problem : world.problems()) UNSCOPED_INFO(problem);
  CHECK(world.problems().empty());
  WARN("seed " << seed << ": " << kills << " kills, " << world.messages() << " messages accepted, "
               << world.deliveries() << " delivered, " << world.repeated() << " of QoS 1 again, "
               << world.retained_seen() << " retained");
  CHECK(world.messages() > kills);
}

}  // namespace
}  // namespace mig::e2e
