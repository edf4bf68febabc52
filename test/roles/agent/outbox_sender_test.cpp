#include "roles/agent/outbox_sender.h"

#include <catch2/catch.hpp>

#include "test/roles/agent/agent_scene.h"

namespace mig::agent {
namespace {

using Seqs = std::vector<std::uint64_t>;

// An outbox with parts in it, a relay that takes them when told to, and a clock.
struct Wire {
  AgentScene scene;
  Action action = scene.Look();
  OutboxSender::Instant now{std::chrono::hours(1000)};
  Seqs sent;
  std::vector<OutboxSender::Done> open;
  OutboxSender sender{*scene.db,
                      [this](const store::StoredPart& part, OutboxSender::Done done) {
                        sent.push_back(part.seq);
                        open.push_back(std::move(done));
                      },
                      [this] { return now; }};
  std::uint64_t next_seq = 0;

  explicit Wire(int parts) {
    scene.Give(action);
    Add(parts);
  }
  void Add(int parts) {
    for (int i = 0; i < parts; ++i) {
      store::NewPart part;
      part.action = action.id;
      part.seq = next_seq++;
      part.digest = Bytes(32, 'd');
      part.envelope = "part";
      REQUIRE(scene.db->AddPart(part));
    }
  }
  // The relay answers for the oldest that it was given.
  void RelayTakes(Expected<void> how = {}) {
    REQUIRE_FALSE(open.empty());
    const auto done = std::move(open.front());
    open.erase(open.begin());
    done(std::move(how));
  }
  void Acknowledge(Seqs seqs) { sender.Acknowledged({action.id, std::move(seqs)}); }
  Seqs TakeSent() { return std::exchange(sent, {}); }
};

TEST_CASE("outbox sender: nothing goes out before there is a connection", "[agent]") {
  Wire wire(3);
  wire.sender.Stored();
  wire.sender.Wake();
  CHECK(wire.sent.empty());
  CHECK_FALSE(wire.sender.wake_at());
  wire.sender.Connected();
  CHECK(wire.TakeSent() == Seqs{0, 1, 2});
}

TEST_CASE("outbox sender: at most a window of parts is with the relay", "[agent]") {
  Wire wire(20);
  wire.sender.Connected();
  CHECK(wire.TakeSent() == Seqs{0, 1, 2, 3, 4, 5, 6, 7});
  wire.RelayTakes();
  CHECK(wire.TakeSent() == Seqs{8});
  wire.Acknowledge({0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(wire.TakeSent().empty());  // the relay has still not taken them
}

TEST_CASE("outbox sender: new parts go out as they are stored, the old ones not again", "[agent]") {
  Wire wire(1);
  wire.sender.Connected();
  CHECK(wire.TakeSent() == Seqs{0});
  wire.Add(2);
  wire.sender.Stored();
  CHECK(wire.TakeSent() == Seqs{1, 2});
}

TEST_CASE("outbox sender: the relay's word is not enough, silence sends all again", "[agent]") {
  Wire wire(2);
  wire.sender.Connected();
  wire.TakeSent();
  wire.RelayTakes();
  wire.RelayTakes();
  REQUIRE(wire.sender.wake_at());
  CHECK(*wire.sender.wake_at() == wire.now + OutboxSender::kFirstSilence);
  wire.now += OutboxSender::kFirstSilence - std::chrono::seconds(1);
  wire.sender.Wake();
  CHECK(wire.TakeSent().empty());
  wire.now += std::chrono::seconds(1);
  wire.sender.Wake();
  CHECK(wire.TakeSent() == Seqs{0, 1});
  // A scheduler that is away is not given the same again every thirty seconds.
  CHECK(*wire.sender.wake_at() == wire.now + 2 * OutboxSender::kFirstSilence);
  wire.RelayTakes();
  wire.RelayTakes();
  for (int i = 0; i < 10; ++i) {
    wire.now = *wire.sender.wake_at();
    wire.sender.Wake();
    CHECK(wire.TakeSent() == Seqs{0, 1});
    wire.RelayTakes();
    wire.RelayTakes();
  }
  CHECK(*wire.sender.wake_at() == wire.now + OutboxSender::kLongestSilence);
}

TEST_CASE("outbox sender: acknowledged parts are gone, and the last one ends the waiting",
          "[agent]") {
  Wire wire(3);
  wire.sender.Connected();
  for (int i = 0; i < 3; ++i) wire.RelayTakes();
  wire.TakeSent();
  wire.Acknowledge({0, 2});
  CHECK(wire.sender.wake_at());
  wire.now += OutboxSender::kFirstSilence;
  wire.sender.Wake();
  CHECK(wire.TakeSent() == Seqs{1});
  wire.Acknowledge({1});
  CHECK_FALSE(wire.sender.wake_at());
  CHECK_FALSE(wire.scene.db->HasWaiting());
}

TEST_CASE("outbox sender: a new connection begins with the oldest", "[agent]") {
  Wire wire(10);
  wire.sender.Connected();
  wire.RelayTakes();
  wire.TakeSent();
  wire.sender.Lost();
  CHECK_FALSE(wire.sender.wake_at());
  // What the old connection still reports does not count.
  while (!wire.open.empty()) wire.RelayTakes(Error(Errc::kUnavailable, "lost"));
  CHECK(wire.TakeSent().empty());
  wire.sender.Connected();
  CHECK(wire.TakeSent() == Seqs{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("outbox sender: a relay that does not take a part is asked again later", "[agent]") {
  Wire wire(1);
  wire.sender.Connected();
  wire.TakeSent();
  wire.RelayTakes(Error(Errc::kDenied, "not authorised"));
  CHECK(wire.TakeSent().empty());
  wire.now += OutboxSender::kFirstSilence;
  wire.sender.Wake();
  CHECK(wire.TakeSent() == Seqs{0});
}

TEST_CASE("outbox sender: an answer that is asked for again goes out again", "[agent]") {
  Wire wire(2);
  wire.sender.Connected();
  wire.RelayTakes();
  wire.RelayTakes();
  wire.Acknowledge({0, 1});
  wire.TakeSent();
  REQUIRE(*wire.scene.db->Repeat(wire.action.id) == 2);
  wire.sender.Repeated();
  CHECK(wire.TakeSent() == Seqs{0, 1});
}

}  // namespace
}  // namespace mig::agent
