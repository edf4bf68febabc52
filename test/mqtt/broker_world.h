// A broker with its clients and its store, without network, disk or clock: what tests of the broker
// are written with. Time passes only when a test says so.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "mqtt/broker.h"
#include "test/mqtt/fake_store.h"

namespace mig::mqtt {

class World;

// The far end of a connection. Packets that the broker sent wait in `inbox`.
class Client {
 public:
  Client(World& world, ConnectionId id, Version version)
      : world_(world), id_(id), version_(version) {}

  Client& Send(const Packet& packet);
  Client& SendBytes(BytesView bytes);
  // The next packet, which must be of this kind.
  template <typename T>
  T Next() {
    REQUIRE_FALSE(inbox.empty());
    Packet packet = std::move(inbox.front());
    inbox.pop_front();
    INFO("packet kind " << packet.index());
    REQUIRE(std::holds_alternative<T>(packet));
    return std::get<T>(std::move(packet));
  }
  bool Quiet() const { return inbox.empty() && !closed; }

  Client& Subscribe(const std::string& filter, Qos qos = Qos::kAtLeastOnce);  // expects success
  Client& Publish(const std::string& topic, const Bytes& payload, Qos qos = Qos::kAtLeastOnce);
  Client& PubAck(std::uint16_t packet_id);
  // The connection breaks.
  void Drop();

  ConnectionId id() const { return id_; }
  Version version() const { return version_; }

  std::deque<Packet> inbox;
  Bytes unread;         // bytes that are no whole packet yet
  bool closed = false;  // by the broker
  bool reading = true;  // the broker reads from us

 private:
  World& world_;
  ConnectionId id_;
  Version version_;
  std::uint16_t last_packet_id_ = 0;
};

class World {
 public:
  explicit World(Limits limits = {}, const Authoriser* authoriser = nullptr,
                 std::chrono::seconds sys_interval = {});

  // A connection without CONNECT.
  Client& Open(Version version = Version::k5, Peer peer = {"", "", "127.0.0.1"});
  // A connection with CONNECT sent, its answer still to be read.
  Client& Connect(mqtt::Connect connect, Peer peer = {"", "", "127.0.0.1"});
  // Connected; CONNACK said yes and is read.
  Client& Join(const std::string& client_id, Version version = Version::k5);
  // The same with a session that is kept.
  Client& JoinKept(const std::string& client_id, Version version = Version::k5);

  void Pass(std::chrono::milliseconds time);  // with Tick at each WakeAt on the way
  void Commit();                              // everything that waits
  void CommitSome(std::size_t effects);       // the first of it
  void Restart();                             // what was not committed is lost
  void Run();                                 // performs effects

  UtcTime now{std::chrono::hours(24 * 365 * 50)};
  bool commits = true;  // false: batches wait for Commit()
  bool sends = true;    // false: nothing leaves
  FakeStore store;
  std::unique_ptr<Broker> broker;
  std::vector<Note> notes;

 private:
  void Perform(Effect& effect);
  void MakeBroker();

  Limits limits_;
  std::chrono::seconds sys_interval_;
  const Authoriser* authoriser_;
  std::map<ConnectionId, std::unique_ptr<Client>> clients_;
  std::deque<Effect> store_work_;
  ConnectionId last_connection_ = 0;
  int assigned_ = 0;
  std::optional<UtcTime> wake_;
};

// A CONNECT of version 5 with a session that is kept for an hour.
Connect KeptConnect(const std::string& client_id, Version version = Version::k5);

}  // namespace mig::mqtt
