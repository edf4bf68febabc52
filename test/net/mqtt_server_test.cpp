#include "net/mqtt_server.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <vector>

#include "mqtt_client.h"
#include "running_relay.h"
#include "test/sanitizers.h"
#include "test/skip.h"
#include "test/temp_folder.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using mqtt::Qos;
using mqtt::Reason;
using mqtt::Version;

TEST_CASE("relay server: a message goes from one client to another, in both versions", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  MqttClient five(relay.port());
  MqttClient three(relay.port(), Version::k311);
  CHECK(five.Connect("five").code == 0);
  CHECK(three.Connect("three").code == 0);
  five.Subscribe("a/#");
  three.Subscribe("a/+");
  three.Publish("a/b", "from three");
  CHECK(three.Next<mqtt::Publish>().payload == "from three");
  three.Next<mqtt::Ack>();
  CHECK(five.Next<mqtt::Publish>().payload == "from three");
  five.Publish("a/c", "from five", Qos::kAtMostOnce);
  CHECK(five.Next<mqtt::Publish>().payload == "from five");
  CHECK(three.Next<mqtt::Publish>().topic == "a/c");
  five.Send(mqtt::PingReq{});
  five.Next<mqtt::PingResp>();
}

TEST_CASE("relay server: large messages arrive whole, also at a reader that pauses", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  MqttClient reader(relay.port());
  MqttClient writer(relay.port());
  reader.Connect("reader");
  writer.Connect("writer");
  reader.Subscribe("t");
  std::vector<Bytes> payloads;
  for (std::size_t size : {0, 1, 100, 2000, 2100, 16'000, 64'000, 200'000, 1'000'000, 3}) {
    payloads.emplace_back(size, static_cast<char>('a' + payloads.size()));
  }
  for (const Bytes& payload : payloads) writer.Publish("t", payload);
  for (const Bytes& payload : payloads) {
    const auto publish = reader.Next<mqtt::Publish>();
    CHECK(publish.payload.size() == payload.size());
    CHECK((publish.payload == payload));
    CHECK(publish.packet_id != 0);
    reader.PubAck(publish.packet_id);
  }
}

TEST_CASE("relay server: a pipelined burst keeps its order and every answer", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  MqttClient away(relay.port());
  away.Connect("away", true);
  away.Subscribe("t");
  away.Close();
  MqttClient writer(relay.port(), Version::k311);
  writer.Connect("writer");
  constexpr int kMessages = 900;
  for (int i = 0; i < kMessages; ++i) writer.Publish("t", std::to_string(i));
  for (int i = 1; i <= kMessages; ++i) CHECK(writer.Next<mqtt::Ack>().packet_id == i);
  MqttClient back(relay.port());
  CHECK(back.Connect("away", true).session_present);
  for (int i = 0; i < kMessages; ++i) {
    const auto publish = back.Next<mqtt::Publish>();
    CHECK(publish.payload == std::to_string(i));
    back.PubAck(publish.packet_id);
  }
}

TEST_CASE("relay server: sessions and messages outlive the process", "[net]") {
  TempFolder folder;
  {
    RunningRelay relay(folder / "relay.db");
    MqttClient away(relay.port());
    away.Connect("away", true);
    away.Subscribe("t");
    away.Close();
    MqttClient writer(relay.port());
    writer.Connect("writer");
    writer.Publish("t", "kept");
    CHECK(writer.Next<mqtt::Ack>().reason == Reason::kSuccess);
  }
  RunningRelay relay(folder / "relay.db");
  MqttClient back(relay.port());
  CHECK(back.Connect("away", true).session_present);
  CHECK(back.Next<mqtt::Publish>().payload == "kept");
}

TEST_CASE("relay server: an open one is for this machine alone", "[net]") {
  TempFolder folder;
  boost::asio::io_context io;
  const mqtt::AllowAll all;
  const auto start = [&](const std::string& listen) {
    auto db = store::RelayDb::Open({folder / "relay.db"});
    REQUIRE(db);
    MqttServerOptions options;
    options.listen = listen;
    return MqttServer::Start(io, std::move(options), std::move(*db), {}, all);
  };
  for (const char* address : {"0.0.0.0:0", "[::]:0"}) {
    auto server = start(address);
    REQUIRE_FALSE(server);
    CHECK(server.error().code() == Errc::kDenied);
  }
  for (const char* address : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "example.org:1",
                              "127.0.0.1:1x", ":1883", "127.0.0.1:-1"}) {
    INFO(address);
    auto server = start(address);
    REQUIRE_FALSE(server);
    CHECK(server.error().code() == Errc::kInvalid);
  }
  CHECK(start("localhost:0"));
}

TEST_CASE("relay server: takes a socket that somebody else has bound", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.socket = os::FileDescriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(options.socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(options.socket.get(), 1) == 0);
  RunningRelay relay(folder / "relay.db", std::move(options));
  MqttClient client(relay.port());
  CHECK(client.Connect("a").code == 0);
}

TEST_CASE("relay server: who says nothing is closed, however it says it", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.limits.connect_within = 1s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  MqttClient silent(relay.port());
  MqttClient slow(relay.port());
  slow.SendBytes(Bytes("\x10\x20\x00\x04MQ", 6));
  CHECK(silent.ClosedSilently());
  CHECK(slow.ClosedSilently());
}

TEST_CASE("relay server: a refused client reads why before the connection closes", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  MqttClient client(relay.port());
  client.Connect("a");
  // Much after the mistake: what is not read must not take the answer with it.
  client.SendBytes(Bytes("\x00\x00", 2) + Bytes(200'000, 'x'));
  CHECK(client.Next<mqtt::Disconnect>().reason == Reason::kMalformedPacket);
  CHECK(client.ClosedSilently());
}

TEST_CASE("relay server: a reader that is stuck is cut off, and nobody waits for it", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.stuck_after = 1s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  MqttClient stuck(relay.port());
  MqttClient writer(relay.port());
  MqttClient other(relay.port());
  stuck.Connect("stuck");
  stuck.Subscribe("t");
  other.Connect("other");
  other.Subscribe("t");
  writer.Connect("writer");
  const Bytes payload(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    writer.Publish("t", payload, Qos::kAtMostOnce);
    REQUIRE(other.Next<mqtt::Publish>().payload.size() == payload.size());
  }
  while (relay.Do([](MqttServer& server) { return server.connections(); }) == 3) {
    writer.Send(mqtt::PingReq{});
    writer.Next<mqtt::PingResp>();
  }
  CHECK(relay.Do([](MqttServer& server) { return server.counters().dropped_slow; }) > 0);
}

TEST_CASE("relay server: who sends without reading is not read either", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.stuck_after = 1s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  MqttClient flood(relay.port());
  flood.Connect("flood");
  const int small = 4096;
  setsockopt(flood.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  const timeval moment{2, 0};
  setsockopt(flood.fd(), SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment);
  Bytes pings;
  for (int i = 0; i < 10'000; ++i) pings += mqtt::Encode(mqtt::PingReq{}, Version::k5);
  // Ends when the relay stops taking them, or cuts the connection.
  for (int i = 0; i < 1'000; ++i) {
    if (send(flood.fd(), pings.data(), pings.size(), MSG_NOSIGNAL) < 0) break;
  }
  MqttClient other(relay.port());
  CHECK(other.Connect("other").code == 0);
}

TEST_CASE("relay server: without descriptors it waits, and goes on when there are some", "[net]") {
  if (kAddressSanitizer) {
    MIG_SKIP("the sanitizers need descriptors themselves to look at memory");
  }
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit low{256, limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  const int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
  std::vector<int> taken;
  for (int fd = 0; (fd = fcntl(spare, F_DUPFD_CLOEXEC, 0)) >= 0;) taken.push_back(fd);
  close(spare);  // one for the client, none for the server
  {
    MqttClient client(relay.port());
    mqtt::Connect connect;
    connect.client_id = "a";
    client.Send(connect);
    // The server has failed to accept by the time that it answers this.
    relay.Do([](MqttServer&) { return 0; });
    for (const int fd : taken) close(fd);
    CHECK(client.Next<mqtt::ConnAck>().code == 0);
  }
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_CASE("relay server: stopping tells the clients and commits what they left", "[net]") {
  TempFolder folder;
  {
    RunningRelay relay(folder / "relay.db");
    MqttClient five(relay.port());
    MqttClient three(relay.port(), Version::k311);
    MqttClient stranger(relay.port());
    five.Connect("five", true);
    five.Subscribe("t");
    three.Connect("three");
    three.Publish("t", "last");
    const auto publish = five.Next<mqtt::Publish>();  // not acknowledged
    CHECK(publish.payload == "last");
    std::thread reader([&] {
      five.Next<mqtt::Disconnect>();
      five.Close();
    });
    CHECK(relay.Stop());
    reader.join();
  }
  RunningRelay relay(folder / "relay.db");
  MqttClient back(relay.port());
  CHECK(back.Connect("five", true).session_present);
  CHECK(back.Next<mqtt::Publish>().payload == "last");
}

TEST_CASE("relay server: many come at once and all are served", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  std::vector<std::unique_ptr<MqttClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<MqttClient>(relay.port()));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    mqtt::Connect connect;
    connect.client_id = "c" + std::to_string(i);
    clients[i]->Send(connect);
  }
  for (auto& client : clients) {
    CHECK(client->Next<mqtt::ConnAck>().code == 0);
    client->Subscribe("all");
  }
  clients[0]->Publish("all", "x");
  for (auto& client : clients) CHECK(client->Next<mqtt::Publish>().payload == "x");
}

}  // namespace
}  // namespace mig
