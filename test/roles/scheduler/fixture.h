// The scheduler's parts around a real store, with relays that only remember what they were given,
// agents that sign, and a clock that a test sets.
#pragma once

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "proto/action.h"
#include "proto/command.h"
#include "proto/topics.h"
#include "roles/scheduler/announcer.h"
#include "roles/scheduler/collector.h"
#include "roles/scheduler/dispatcher.h"
#include "roles/scheduler/relays.h"
#include "roles/scheduler/store_queue.h"
#include "store/server_db.h"
#include "test/temp_folder.h"

namespace mig::scheduler {

inline constexpr UtcTime kStart{std::chrono::milliseconds{1'790'000'000'000}};

class FakeRelays : public Relays {
 public:
  explicit FakeRelays(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      states.push_back({"relay-" + std::to_string(i), true});
    }
  }
  const std::vector<RelayState>& States() const override { return states; }
  std::size_t Room(std::size_t relay) const override {
    return states[relay].connected && under_way < room ? room - under_way : 0;
  }
  void Post(std::size_t relay, Outgoing message) override {
    sent.emplace_back(relay, std::move(message));
    ++under_way;
    if (acknowledge) Answer(sent.size() - 1, {});
  }
  void Answer(std::size_t index, Expected<void> outcome) {
    --under_way;
    if (auto done = std::exchange(sent[index].second.done, {})) done(std::move(outcome));
  }
  // Messages whose topic ends so.
  std::vector<Outgoing> Sent(std::string_view topic_end) const {
    std::vector<Outgoing> found;
    for (const auto& [relay, message] : sent) {
      if (message.topic.ends_with(topic_end)) found.push_back(message);
    }
    return found;
  }

  std::vector<RelayState> states;
  std::vector<std::pair<std::size_t, Outgoing>> sent;
  std::size_t room = 256, under_way = 0;
  bool acknowledge = true;
};

// An enrolled machine.
struct FakeAgent {
  SecretKey key = SecretKey::Generate();
  AgentId id = *AgentId::FromBytes(key.public_key().Fingerprint());
  UtcTime clock = kStart;

  Bytes Say(std::string_view type, Bytes payload) const {
    return EncodeEnvelope(Seal(type, std::move(payload), key));
  }
  LedgerMark ledger{1, Bytes(32, 'l')};
  const LedgerMark& Mark() const { return ledger; }
  Bytes Receive(const ActionId& action, std::string state, std::string code = {}) const {
    return Say(kReceiptType, EncodeReceipt({id, action, std::move(state), std::move(code), "",
                                            clock, 1, Mark()}));
  }
  ResultPart MakePart(const ActionId& action, std::uint64_t seq, bool last) const {
    ResultPart part;
    part.agent = id;
    part.action = action;
    part.seq = seq;
    part.last = last;
    if (seq > 0) part.previous = Bytes(32, 'p');
    if (last) part.status = CommandStatus::kSuccess;
    part.time = clock;
    part.ledger = Mark();
    return part;
  }
  Bytes Part(const ActionId& action, std::uint64_t seq, bool last) const {
    return Say(kResultType, EncodeResultPart(MakePart(action, seq, last)));
  }
  Bytes Presence(bool on, std::string boot = "boot") const {
    return Say(kPresenceType, EncodePresence({id, on, clock, std::move(boot)}));
  }
  Bytes Heartbeat(std::uint64_t policy = 1) const {
    mig::Heartbeat beat;
    beat.agent = id;
    beat.name = "host-" + id.Text().substr(0, 4);
    beat.version = "1.0";
    beat.time = beat.started = clock;
    beat.policy = policy;
    beat.boot = "boot";
    beat.sandbox = "full";
    beat.ledger = Mark();
    return Say(kHeartbeatType, EncodeHeartbeat(beat));
  }
};

struct Bench {
  explicit Bench(std::size_t relay_count = 1)
      : relays(relay_count), db(OpenDb(folder / "server.db")) {
    Restart();
  }
  ~Bench() { db.reset(); }  // its thread posts to io

  // The scheduler's parts anew, as after a kill: only the store stays.
  void Restart() {
    collector.reset();
    dispatcher.reset();
    announcer.reset();
    store.reset();
    io = std::make_unique<boost::asio::io_context>();
    const auto clock = [this] { return now; };
    store = std::make_unique<StoreQueue>(*db, *io);
    announcer = std::make_unique<Announcer>(*io, relays);
    Dispatcher::Options down;
    down.name = "scheduler-1";
    down.now = clock;
    dispatcher = std::make_unique<Dispatcher>(*io, *store, relays, *announcer, down);
    Collector::Options up;
    up.now = clock;
    collector = std::make_unique<Collector>(*store, relays, *announcer, *dispatcher, up);
    collector->SetPolicy({7, std::make_shared<const Bytes>("policy 7")});
  }

  static std::unique_ptr<store::ServerDb> OpenDb(const std::filesystem::path& file) {
    auto opened = store::ServerDb::Open(file);
    REQUIRE(opened);
    return std::move(*opened);
  }

  // Runs the scheduler's thread until `condition` holds; false when it does not within ten seconds.
  template <typename F>
  bool Until(F condition) {
    io->restart();  // it has stopped when nothing was left to do before
    const auto guard = boost::asio::make_work_guard(*io);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io->run_one_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  // Everything that was queued at the store, and what followed from it, is done.
  void Settle() {
    for (int i = 0; i < 4; ++i) {
      bool done = false;
      store->Write(
          {}, [](store::ServerTx&) -> Expected<void> { return {}; },
          [&](const Expected<void>&) { done = true; });
      REQUIRE(Until([&] { return done; }));
      io->poll();
    }
  }

  FakeAgent Enrol() {
    FakeAgent agent;
    const Bytes key(agent.key.public_key().View());
    REQUIRE(db->WriteNow([&](store::ServerTx& tx) {
      return tx.EnrolAgent({agent.id, key, "agent"}, now);
    }));
    return agent;
  }
  void Say(const std::string& topic, const Bytes& message, std::size_t relay = 0) {
    collector->Receive(relay, topic, message);
    Settle();
  }
  void ComeOn(FakeAgent& agent, std::size_t relay = 0) {
    agent.clock = now;
    Say(topics::Presence(agent.id), agent.Presence(true), relay);
  }

  store::NewAction MakeAction(int number, std::string target = "all") const {
    store::NewAction action;
    Bytes id(16, '\0');
    id[0] = static_cast<char>(number);
    action.id = *ActionId::FromBytes(id);
    action.digest = Sha256(id);
    action.envelope = R"({"payloadType":"x","number":)" + std::to_string(number) + "}";
    action.weight_reached = true;
    action.name = "action";
    action.target = std::move(target);
    action.validfrom = now - std::chrono::minutes(1);
    action.expireafter = now + std::chrono::minutes(5);
    action.limit_bytes = 1 << 20;
    return action;
  }
  ActionId Add(const store::NewAction& action) {
    REQUIRE(db->WriteNow([&](store::ServerTx& tx) -> Expected<void> {
      auto added = tx.AddAction(action, "ann", now);
      if (!added) return added.error();
      return {};
    }));
    return action.id;
  }
  // Stored, expanded and sent.
  ActionId Fly(int number) {
    const ActionId id = Add(MakeAction(number));
    dispatcher->Wake();
    Settle();
    return id;
  }

  store::ActionRow Action(const ActionId& id) {
    return **db->Read([&](store::ServerReader& reader) { return reader.FindAction(id); });
  }
  store::Counters Count(const ActionId& id) {
    return *db->Read([&](store::ServerReader& reader) { return reader.CountCommands(id); });
  }
  store::CommandRow Command(const ActionId& action, const AgentId& agent) {
    return **db->Read(
        [&](store::ServerReader& reader) { return reader.FindCommand(action, agent); });
  }
  std::size_t Parts(const ActionId& id) {
    return db
        ->Read([&](store::ServerReader& reader) { return reader.ListParts(id, 0, 1000, 1 << 30); })
        ->size();
  }
  std::vector<Acknowledgement> Acknowledged() const {
    std::vector<Acknowledgement> found;
    for (const Outgoing& message : relays.Sent("/ctl")) {
      auto control = DecodeControl(*message.payload);
      if (!control) continue;
      if (const auto* ack = std::get_if<Acknowledgement>(&*control)) found.push_back(*ack);
    }
    return found;
  }

  TempFolder folder;
  UtcTime now = kStart;
  FakeRelays relays;
  std::unique_ptr<boost::asio::io_context> io;
  std::unique_ptr<store::ServerDb> db;
  std::unique_ptr<StoreQueue> store;
  std::unique_ptr<Announcer> announcer;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Collector> collector;
};

}  // namespace mig::scheduler
