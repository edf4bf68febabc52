// The link against Mosquitto: what it promises its owner while relays come, refuse and go.
#include "net/mqtt_link.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include "test/net/link_peer.h"
#include "test/net/mosquitto.h"
#include "test/net/run_until.h"
#include "test/skip.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

LinkOptions Named(const Mosquitto& broker, std::string id) {
  LinkOptions options;
  options.port = broker.port();
  options.client_id = std::move(id);
  return options;
}

}  // namespace

TEST_CASE("mqtt link: a publish arrives at a subscriber and is acknowledged", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer reader(io, Named(broker, "reader"));
  reader.link->Subscribe({"a/+", "b/#"});
  reader.link->Start();
  REQUIRE(reader.AwaitConnect());
  CHECK_FALSE(reader.session_present);
  LinkPeer writer(io, Named(broker, "writer"));
  writer.link->Start();
  REQUIRE(writer.AwaitConnect());

  const Bytes binary("\0\xff\x01", 3);
  CHECK(writer.Publish("a/1", "one").value().has_value());
  CHECK(writer.Publish("b/c/d", binary, 0).value().has_value());
  CHECK(writer.Publish("c", "nobody").value().has_value());
  reader.link->Subscribe({"c"});
  RunUntil(io, [&] { return reader.messages.size() >= 2; });
  CHECK(reader.messages == std::vector<std::string>{"a/1 one", "b/c/d " + binary});

  // Subscriptions made on an open connection work as well.
  RunUntil(io, [&] {
    writer.link->Publish("c", "somebody", 0, 0s, false, nullptr);
    io.run_for(20ms);
    return reader.messages.size() >= 3;
  });
  REQUIRE(reader.messages.size() >= 3);
  CHECK(reader.messages[2] == "c somebody");
}

TEST_CASE("mqtt link: survives the relay's death and subscribes again", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  asio::io_context io;
  LinkPeer peer(io, Named(broker, "survivor"));
  peer.link->Subscribe({"x"});
  peer.link->Start();
  CHECK(peer.Publish("x", "too early").value().error().code() == Errc::kUnavailable);
  broker.Start();  // the link came first
  REQUIRE(peer.AwaitConnect());
  CHECK(peer.losses == 0);

  std::optional<Expected<void>> interrupted;
  broker.Stop(SIGKILL);
  peer.link->Publish("x", "lost", 1, 0s, false,
                     [&](Expected<void> result) { interrupted = std::move(result); });
  REQUIRE(RunUntil(io, [&] { return peer.losses == 1 && interrupted; }));
  CHECK_FALSE(peer.link->connected());
  CHECK(interrupted->error().code() == Errc::kUnavailable);
  CHECK(peer.last_reason.find("127.0.0.1") != std::string::npos);

  broker.Start();
  REQUIRE(peer.AwaitConnect(2));
  CHECK(peer.losses == 1);
  CHECK(peer.Publish("x", "again").value().has_value());
  RunUntil(io, [&] { return !peer.messages.empty(); });
  CHECK(peer.messages == std::vector<std::string>{"x again"});
}

TEST_CASE("mqtt link: a relay that hangs without closing is noticed by the keep-alive", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkOptions options = Named(broker, "watchful");
  options.keep_alive = 1s;
  LinkPeer peer(io, options);
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  broker.Signal(SIGSTOP);
  REQUIRE(RunUntil(io, [&] { return peer.losses == 1; }));
  broker.Signal(SIGCONT);
  CHECK(peer.AwaitConnect(2));
}

TEST_CASE("mqtt link: a session and what is queued in it wait for the link", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer writer(io, Named(broker, "writer"));
  writer.link->Start();
  REQUIRE(writer.AwaitConnect());
  {
    LinkPeer reader(io, Named(broker, "reader"));
    reader.link->Subscribe({"x"});
    reader.link->Start();
    REQUIRE(reader.AwaitConnect());
    bool stopped = false;
    reader.link->Stop([&] { stopped = true; });
    REQUIRE(RunUntil(
        io, [&] { return stopped; }, 2s));
    CHECK(reader.losses == 0);
  }
  for (int i = 0; i < 300; ++i) {
    REQUIRE(writer.Publish("x", std::to_string(i), 1, 60s).value().has_value());
  }
  LinkPeer reader(io, Named(broker, "reader"));
  reader.link->Subscribe({"x"});
  reader.link->Start();
  REQUIRE(reader.AwaitConnect());
  CHECK(reader.session_present);
  RunUntil(io, [&] { return reader.messages.size() >= 300; });
  REQUIRE(reader.messages.size() == 300);
  CHECK(reader.messages.front() == "x 0");
  CHECK(reader.messages.back() == "x 299");
}

TEST_CASE("mqtt link: a message past its expiry is not delivered", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer writer(io, Named(broker, "writer"));
  writer.link->Start();
  REQUIRE(writer.AwaitConnect());
  REQUIRE(writer.Publish("kept/short", "short", 1, 1s, true).value().has_value());
  REQUIRE(writer.Publish("kept/long", "long", 1, 600s, true).value().has_value());
  RunUntil(
      io, [] { return false; }, 2100ms);
  LinkPeer reader(io, Named(broker, "reader"));
  reader.link->Subscribe({"kept/#"});
  reader.link->Start();
  REQUIRE(RunUntil(io, [&] { return !reader.messages.empty(); }));
  CHECK(reader.messages == std::vector<std::string>{"kept/long long"});
}

TEST_CASE("mqtt link: the will is made anew for each attempt, and not sent after Stop", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer witness(io, Named(broker, "witness"));
  witness.link->Subscribe({"will/#"});
  witness.link->Start();
  REQUIRE(witness.AwaitConnect());

  int made = 0;
  const auto mortal = [&](const std::string& id) {
    auto peer = std::make_unique<LinkPeer>(io, Named(broker, id));
    peer->link->SetWill([&made, id] { return LinkWill{"will/" + id, std::to_string(++made), 0s}; });
    peer->link->Start();
    REQUIRE(peer->AwaitConnect());
    return peer;
  };
  {
    const auto stopped = mortal("stopped");
    bool done = false;
    stopped->link->Stop([&] { done = true; });
    REQUIRE(RunUntil(io, [&] { return done; }));
  }
  { const auto gone = mortal("gone"); }  // destroyed without Stop
  REQUIRE(RunUntil(io, [&] { return !witness.messages.empty(); }));
  CHECK(witness.messages == std::vector<std::string>{"will/gone 2"});
}

TEST_CASE("mqtt link: two of one client id: the older one loses its connection", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer first(io, Named(broker, "twin"));
  first.link->Start();
  REQUIRE(first.AwaitConnect());
  LinkPeer second(io, Named(broker, "twin"));
  second.link->Start();
  REQUIRE(second.AwaitConnect());
  REQUIRE(RunUntil(io, [&] { return first.losses > 0; }));
  CHECK(first.last_reason.find("connection lost") != std::string::npos);
}

TEST_CASE("mqtt link: more unacknowledged publishes than allowed are refused as full", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkOptions options = Named(broker, "eager");
  options.max_unacknowledged = 8;
  LinkPeer peer(io, options);
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  int acknowledged = 0, full = 0;
  for (int i = 0; i < 12; ++i) {
    peer.link->Publish("x", "y", 1, 0s, false, [&](Expected<void> result) {
      if (result) {
        ++acknowledged;
      } else if (result.error().code() == Errc::kFull) {
        ++full;
      }
    });
  }
  REQUIRE(RunUntil(io, [&] { return acknowledged + full == 12; }));
  CHECK(acknowledged == 8);
  CHECK(full == 4);
  CHECK(peer.Publish("x", "room again").value().has_value());
}

TEST_CASE("mqtt link: a slow owner makes the relay wait, and nothing is lost", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker("max_queued_messages 0\n");
  broker.Start();
  asio::io_context owner, other;
  const auto owner_lives = asio::make_work_guard(owner);
  const auto other_lives = asio::make_work_guard(other);
  LinkPeer reader(owner, Named(broker, "slow"));
  reader.link->Subscribe({"x"});
  reader.link->Start();
  REQUIRE(reader.AwaitConnect());
  LinkPeer writer(other, Named(broker, "writer"));
  writer.link->Start();
  REQUIRE(writer.AwaitConnect());
  // Three times what the link lets wait; `owner` does not run meanwhile. Both links share Paho's
  // receiving thread, which then waits for `owner`: the rest is sent while it does not.
  const int total = 3 * 1024;
  int acknowledged = 0;
  for (int i = 0; i < total; ++i) {
    while (i - acknowledged >= 200) {
      if (other.run_one_for(1ms) == 0) owner.poll();
    }
    writer.link->Publish("x", std::to_string(i), 1, 0s, false, [&](Expected<void> result) {
      CHECK(result.has_value());
      ++acknowledged;
    });
  }
  RunUntil(owner, [&] {
    other.poll();
    return reader.messages.size() >= static_cast<std::size_t>(total);
  });
  REQUIRE(reader.messages.size() == static_cast<std::size_t>(total));
  CHECK(reader.messages.back() == "x " + std::to_string(total - 1));
}

TEST_CASE("mqtt link: may be destroyed at any moment, also from its own handlers", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer writer(io, Named(broker, "writer"));
  writer.link->Start();
  REQUIRE(writer.AwaitConnect());
  for (int i = 0; i < 20; ++i) {
    auto peer = std::make_unique<LinkPeer>(io, Named(broker, "fleeting"));
    peer->link->Subscribe({"x"});
    peer->link->Start();
    if (i % 2 == 0) {  // while it connects, subscribes or receives
      for (int turn = 0; turn < i; ++turn) {
        writer.link->Publish("x", "y", 1, 0s, false, nullptr);
        io.run_one_for(5ms);
      }
      peer.reset();
    } else {
      bool gone = false;
      std::optional<MqttLink> link;
      LinkHandlers handlers;
      handlers.connected = [&](bool) {
        link.reset();
        gone = true;
      };
      LinkOptions options = Named(broker, "suicidal");
      options.host = "127.0.0.1";
      link.emplace(io, options, handlers);
      link->Start();
      CHECK(RunUntil(io, [&] { return gone; }));
    }
  }
}

TEST_CASE("mqtt link: a refused connection is no loss, and is tried again", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker("allow_anonymous false\n");
  broker.Start();
  asio::io_context io;
  LinkPeer peer(io, Named(broker, "stranger"));
  peer.link->Start();
  CHECK_FALSE(RunUntil(
      io, [&] { return peer.connects > 0; }, 500ms));
  CHECK(peer.losses == 0);
  CHECK(peer.failures > 1);
}

TEST_CASE("mqtt link: a burst of large messages arrives whole and in order", "[net]") {
  if (!Mosquitto::Installed()) MIG_SKIP("Mosquitto is not installed");
  Mosquitto broker;
  broker.Start();
  asio::io_context io;
  LinkPeer reader(io, Named(broker, "reader"));
  reader.link->Subscribe({"x"});
  reader.link->Start();
  REQUIRE(reader.AwaitConnect());
  LinkPeer writer(io, Named(broker, "writer"));
  writer.link->Start();
  REQUIRE(writer.AwaitConnect());
  const std::size_t total = 200, size = 180 * 1024;
  std::size_t acknowledged = 0;
  for (std::size_t i = 0; i < total; ++i) {
    Bytes part(size, static_cast<char>('a' + i % 26));
    writer.link->Publish("x", std::move(part), 1, 0s, false,
                         [&](Expected<void> result) { acknowledged += result ? 1 : 0; });
  }
  REQUIRE(RunUntil(io, [&] { return acknowledged == total && reader.messages.size() == total; }));
  for (std::size_t i = 0; i < total; ++i) {
    const std::string& message = reader.messages[i];
    REQUIRE(message.size() == size + 2);
    REQUIRE(message.find_first_not_of(static_cast<char>('a' + i % 26), 2) == std::string::npos);
  }
}

}  // namespace mig
