// Clients that mean harm, against the relay over TCP and TLS: each test shows a bound, and that
// others are served meanwhile. What the core alone decides is in test/mqtt/broker_hostile_test.cpp.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "deployment.h"
#include "mqtt_client.h"
#include "running_relay.h"
#include "test/sanitizers.h"
#include "test/skip.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using mqtt::Qos;
using mqtt::Reason;
using mqtt::Version;

constexpr std::uint32_t kAttacker = 0x7F000002;  // 127.0.0.2
constexpr auto k5 = Version::k5;
// The sanitizers' own memory says nothing about ours, and they are slow.
constexpr bool kMeasuresMemory = !kAddressSanitizer && !kThreadSanitizer;

// Somebody who publishes and somebody who gets it, whatever others do.
class Honest {
 public:
  explicit Honest(std::uint16_t port) : publisher_(port), subscriber_(port) {
    REQUIRE(publisher_.Connect("honest-publisher").code == 0);
    REQUIRE(subscriber_.Connect("honest-subscriber").code == 0);
    REQUIRE(subscriber_.Subscribe("honest") == Reason::kGrantedQos1);
  }
  void IsServed() {
    const std::string payload = std::to_string(++count_);
    publisher_.Publish("honest", payload);
    CHECK(publisher_.Next<mqtt::Ack>().reason == Reason::kSuccess);
    const auto message = subscriber_.Next<mqtt::Publish>();
    CHECK(message.payload == payload);
    subscriber_.PubAck(message.packet_id);
  }

 private:
  MqttClient publisher_;
  MqttClient subscriber_;
  int count_ = 0;
};

MqttServerOptions NobodyExempt() {
  MqttServerOptions options;
  options.connections.exempt.clear();
  return options;
}

std::uint64_t Refused(RunningRelay& relay, std::string_view reason) {
  return relay.Do([reason](MqttServer& server) {
    const auto totals = server.refusals().Totals();
    const auto found = totals.find(reason);
    return found == totals.end() ? std::uint64_t{0} : found->second;
  });
}

std::size_t Connections(RunningRelay& relay) {
  return relay.Do([](MqttServer& server) { return server.connections(); });
}

// True as soon as `what` is, asked again and again.
template <typename What>
bool Eventually(What what) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!what()) {
    if (std::chrono::steady_clock::now() >= end) return false;
  }
  return true;
}

// Of this process: the relay and what the test itself holds.
std::size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0;
  std::size_t resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

Bytes ConnectBytes(const std::string& client_id, bool keep = false) {
  mqtt::Connect connect;
  connect.version = k5;
  connect.client_id = client_id;
  connect.clean_start = !keep;
  if (keep) connect.properties.Add(mqtt::PropertyId::kSessionExpiryInterval, 3600);
  return mqtt::Encode(connect, k5);
}

TEST_CASE("hostile clients: a flood of connections is closed at its address's rate", "[net]") {
  TempFolder folder;
  auto options = NobodyExempt();
  options.connections.rate_per_address = 20;
  options.connections.burst = 1s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  Honest honest(relay.port());
  int in = 0;
  for (int i = 0; i < 500; ++i) {
    MqttClient client(relay.port(), k5, kAttacker);
    client.SendBytes(ConnectBytes("flood" + std::to_string(i)));
    if (client.Read()) ++in;
    if (i % 50 == 0) honest.IsServed();
  }
  const auto closed = Refused(relay, "too many new connections from this address");
  CHECK(in + static_cast<int>(closed) == 500);
  CHECK(in >= 20);
  CHECK(closed > 0);
  honest.IsServed();
}

TEST_CASE("hostile clients: one address has so many connections and no more", "[net]") {
  TempFolder folder;
  auto options = NobodyExempt();
  options.connections.per_address = 10;
  options.connections.unknown_per_address = 4;
  RunningRelay relay(folder / "relay.db", std::move(options));
  Honest honest(relay.port());
  std::vector<std::unique_ptr<MqttClient>> known;
  for (int i = 0; i < 10; ++i) {
    known.push_back(std::make_unique<MqttClient>(relay.port(), k5, kAttacker));
    REQUIRE(known.back()->Connect("k" + std::to_string(i)).code == 0);
  }
  MqttClient eleventh(relay.port(), k5, kAttacker);
  CHECK(eleventh.ClosedSilently());
  std::vector<std::unique_ptr<MqttClient>> silent;
  for (int i = 0; i < 4; ++i) {
    silent.push_back(std::make_unique<MqttClient>(relay.port(), k5, kAttacker + 1));
  }
  MqttClient fifth(relay.port(), k5, kAttacker + 1);
  CHECK(fifth.ClosedSilently());
  honest.IsServed();
  known.pop_back();
  silent.clear();
  CHECK(Refused(relay, "too many connections from this address") == 1);
  CHECK(Refused(relay, "too many connections without CONNECT from this address") == 1);
}

TEST_CASE("hostile clients: with all places taken by many addresses, newcomers still get in",
          "[net]") {
  TempFolder folder;
  auto options = NobodyExempt();
  options.connections.unknown = 32;
  options.limits.connect_within = 8s;  // a quarter of it while others wait
  RunningRelay relay(folder / "relay.db", std::move(options));
  Honest honest(relay.port());
  std::vector<std::unique_ptr<MqttClient>> silent;
  for (std::uint32_t i = 0; i < 64; ++i) {  // half of them in the backlog
    silent.push_back(std::make_unique<MqttClient>(relay.port(), k5, kAttacker + i));
  }
  honest.IsServed();
  MqttClient late(relay.port());
  CHECK(late.Connect("late").code == 0);
  CHECK(Refused(relay, "no CONNECT in time while others wait") >= 32);
  honest.IsServed();
}

TEST_CASE("hostile clients: bytes that trickle make no more time, in TLS nor in CONNECT", "[net]") {
  Deployment d;
  auto options = d.Options();
  options.limits.connect_within = 1s;
  RunningRelay relay(d.folder / "relay.db", std::move(options), &d.rights);
  const auto started = std::chrono::steady_clock::now();
  const Bytes connect = ConnectBytes("a1");
  MqttClient in_tls(relay.port());
  MqttClient in_connect(relay.port(), d.Issue(d.agents_ca, "agent", "a1"));
  REQUIRE(in_connect.handshake_done());
  // A ClientHello of 4 KB that never ends: a record's head, then a byte now and then.
  in_tls.SendBytes(BytesView("\x16\x03\x01\x10\x00\x01\x00\x0f\xfc\x03\x03", 11));
  MqttClient honest(relay.port(), d.Issue(d.agents_ca, "agent", "a2"));
  REQUIRE(honest.Connect("a2").code == 0);
  std::size_t sent = 0;
  while ((!in_tls.HasNews() || !in_connect.HasNews()) &&
         std::chrono::steady_clock::now() - started < 20s) {
    in_tls.SendBytes("x");
    if (sent + 1 < connect.size()) in_connect.SendBytes(connect.substr(sent++, 1));
    honest.Send(mqtt::PingReq{});
    honest.Next<mqtt::PingResp>();
    if (sent + 1 == connect.size()) honest.Send(mqtt::PingReq{}), honest.Next<mqtt::PingResp>();
  }
  CHECK(in_tls.HasNews());
  CHECK(in_connect.HasNews());
  CHECK(in_connect.ClosedSilently());
  CHECK(Eventually([&] { return Connections(relay) == 1; }));
}

TEST_CASE("hostile clients: half-open TLS from everywhere leaves room for who has a certificate",
          "[net]") {
  Deployment d;
  auto options = d.Options();
  options.connections.exempt.clear();
  options.max_handshakes = 16;
  options.limits.connect_within = 4s;
  RunningRelay relay(d.folder / "relay.db", std::move(options), &d.rights);
  MqttClient first(relay.port(), d.Issue(d.agents_ca, "agent", "a1"));
  REQUIRE(first.Connect("a1").code == 0);
  std::vector<std::unique_ptr<MqttClient>> half;
  for (std::uint32_t i = 0; i < 48; ++i) {
    half.push_back(std::make_unique<MqttClient>(relay.port(), k5, kAttacker + i));
    half.back()->SendBytes(BytesView("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  }
  CHECK(Connections(relay) <= 17);  // the others wait in the backlog
  first.Send(mqtt::PingReq{});
  first.Next<mqtt::PingResp>();
  MqttClient late(relay.port(), d.Issue(d.agents_ca, "agent", "a2"));
  CHECK(late.Connect("a2").code == 0);
  first.Send(mqtt::PingReq{});
  first.Next<mqtt::PingResp>();
}

TEST_CASE("hostile clients: CVE-2017-7651, CVE-2023-0809: announced lengths take no memory",
          "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.connections.unknown = 1000;
  options.limits.partial_bytes = std::size_t{4} << 20;
  RunningRelay relay(folder / "relay.db", std::move(options));
  Honest honest(relay.port());
  const std::size_t before = ResidentBytes();
  std::vector<std::unique_ptr<MqttClient>> strangers;
  for (int i = 0; i < 300; ++i) {  // CONNECTs of 8 KB, of which two bytes come
    strangers.push_back(std::make_unique<MqttClient>(relay.port()));
    strangers.back()->SendBytes(BytesView("\x10\xf0\x3e\x00", 4));
  }
  MqttClient bomb(relay.port());
  bomb.SendBytes(BytesView("\x10\xff\xff\xff\x7f", 5));
  CHECK(bomb.ClosedSilently());
  honest.IsServed();
  // Clients that are in announce a megabyte, and send all of it but the end.
  const Bytes most = Bytes("\x30\xc0\x84\x3d", 4) + Bytes(900'000, 'x');
  std::vector<std::unique_ptr<MqttClient>> members;
  for (int i = 0; i < 30; ++i) {
    members.push_back(std::make_unique<MqttClient>(relay.port()));
    REQUIRE(members.back()->Connect("m" + std::to_string(i)).code == 0);
    members.back()->SendBytes(most);
    if (i % 10 == 0) honest.IsServed();
  }
  honest.IsServed();
  CHECK(Eventually([&] { return Refused(relay, "quota exceeded") >= 25; }));  // four fit in
  honest.IsServed();
  if (kMeasuresMemory) CHECK(ResidentBytes() - before < 48U << 20);
}

TEST_CASE("hostile clients: stuck readers take bounded memory, and others get everything",
          "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.limits.queue_messages = 100;
  options.limits.queue_bytes = 1U << 20;
  RunningRelay relay(folder / "relay.db", std::move(options));
  Honest honest(relay.port());
  std::vector<std::unique_ptr<MqttClient>> stuck;
  for (int i = 0; i < 10; ++i) {
    stuck.push_back(std::make_unique<MqttClient>(relay.port()));
    REQUIRE(stuck.back()->Connect("stuck" + std::to_string(i), i % 2 == 0).code == 0);
    stuck.back()->Subscribe("big");
  }
  MqttClient reader(relay.port());
  REQUIRE(reader.Connect("reader").code == 0);
  reader.Subscribe("big");
  MqttClient publisher(relay.port());
  REQUIRE(publisher.Connect("publisher").code == 0);
  const std::size_t before = ResidentBytes();
  const Bytes payload(50'000, 'x');
  for (int i = 0; i < 300; ++i) {  // 15 MB for each of them
    const Qos qos = i % 2 == 0 ? Qos::kAtMostOnce : Qos::kAtLeastOnce;
    publisher.Publish("big", payload, qos);
    if (qos == Qos::kAtLeastOnce) publisher.Next<mqtt::Ack>();
    const auto got = reader.Next<mqtt::Publish>();
    CHECK(got.payload.size() == payload.size());
    if (got.packet_id != 0) reader.PubAck(got.packet_id);
    if (i % 100 == 0) honest.IsServed();
  }
  honest.IsServed();
  CHECK(relay.Do([](MqttServer& server) { return server.counters().dropped_slow; }) > 0);
  // 150 MB would be everything; a queue and what is unsent is 1.3 MB for each.
  if (kMeasuresMemory) CHECK(ResidentBytes() - before < 40U << 20);
}

TEST_CASE("hostile clients: publishers that never read are not read, and hold nobody up", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  Honest honest(relay.port());
  std::vector<std::unique_ptr<MqttClient>> floods;
  Bytes chunk;
  for (int i = 0; i < 2000; ++i) chunk += mqtt::Encode(mqtt::PingReq{}, k5);
  const std::size_t before = ResidentBytes();
  for (int i = 0; i < 3; ++i) {
    floods.push_back(std::make_unique<MqttClient>(relay.port()));
    REQUIRE(floods.back()->Connect("flood" + std::to_string(i)).code == 0);
    const int small = 4096;
    setsockopt(floods.back()->fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    std::size_t left = std::size_t{16} << 20;
    while (left > 0) {  // until the kernel takes no more, because the relay does not
      const ssize_t sent =
          send(floods.back()->fd(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) break;
      left -= std::min(left, static_cast<std::size_t>(sent));
    }
    honest.IsServed();
  }
  if (kMeasuresMemory) CHECK(ResidentBytes() - before < 48U << 20);
}

TEST_CASE("hostile clients: sessions under random names end where their number does", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.limits.sessions = 50;
  RunningRelay relay(folder / "relay.db", std::move(options));
  Honest honest(relay.port());
  MqttClient known(relay.port());
  REQUIRE(known.Connect("known", true).code == 0);
  known.Close();
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    MqttClient client(relay.port());
    client.SendBytes(ConnectBytes("random" + std::to_string(i * 7919), true));
    const auto code = client.Next<mqtt::ConnAck>().code;
    CHECK((code == 0 || code == 0x97));
    refused += code == 0x97 ? 1 : 0;
  }
  CHECK(refused == 200 - (50 - 3));
  MqttClient again(relay.port());
  CHECK(again.Connect("known", true).session_present);
  honest.IsServed();
}

TEST_CASE("hostile clients: an agent's certificate gives it one session, whatever name it says",
          "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto tls = d.Issue(d.agents_ca, "agent", "a1");
  for (const char* id : {"a2", "a1-2", "A1", "a1/", "scheduler", "", "random"}) {
    MqttClient client(relay.port(), tls);
    INFO("client identifier `" << id << "`");
    CHECK(client.Connect(id).code != 0);
    CHECK(client.ClosedSilently());  // CVE-2025-56352: refused is closed
  }
  CHECK(Eventually([&] { return Connections(relay) == 0; }));
}

TEST_CASE("hostile clients: 2,000 sessions that return at once are all served", "[net]") {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  constexpr rlim_t kNeeded = 4500;
  if (limit.rlim_cur < kNeeded) {
    if (limit.rlim_max < kNeeded) MIG_SKIP("needs 4,500 descriptors");
    limit.rlim_cur = kNeeded;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  const int kClients = !kMeasuresMemory ? 500 : 2000;
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  Honest honest(relay.port());
  for (int round = 0; round < 2; ++round) {
    std::vector<std::unique_ptr<MqttClient>> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.push_back(std::make_unique<MqttClient>(relay.port(), k5, kAttacker + i % 8));
      clients.back()->SendBytes(ConnectBytes("c" + std::to_string(i), true));
    }
    honest.IsServed();
    for (auto& client : clients) {
      const auto answer = client->Next<mqtt::ConnAck>();
      CHECK(answer.code == 0);
      CHECK(answer.session_present == (round == 1));
    }
    honest.IsServed();
  }
}

TEST_CASE("hostile clients: many who take over one session leave one of them connected", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  Honest honest(relay.port());
  constexpr int kRivals = 200;
  std::vector<std::unique_ptr<MqttClient>> rivals;
  for (int i = 0; i < kRivals; ++i) {
    rivals.push_back(std::make_unique<MqttClient>(relay.port()));
    rivals.back()->SendBytes(ConnectBytes("one", i % 3 != 0));
    if (i % 50 == 0) honest.IsServed();
  }
  // Each is answered or closed: then the relay has seen them all.
  for (auto& rival : rivals) static_cast<void>(rival->Read());
  int connected = 0;
  for (auto& rival : rivals) {
    rival->Send(mqtt::PingReq{});
    for (bool open = true; open;) {
      const auto packet = rival->Read();
      open = packet.has_value();
      if (packet && std::holds_alternative<mqtt::PingResp>(*packet)) {
        ++connected;
        open = false;
      }
    }
  }
  // The last pushed out all the others; none of them was left open without a session.
  CHECK(connected == 1);
  CHECK(Eventually([&] { return Connections(relay) == 3; }));
  honest.IsServed();
}

TEST_CASE("hostile clients: overlapping wildcards multiply nothing", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  Honest honest(relay.port());
  std::vector<std::unique_ptr<MqttClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<MqttClient>(relay.port()));
    REQUIRE(clients.back()->Connect("w" + std::to_string(i)).code == 0);
    mqtt::Subscribe subscribe;
    subscribe.packet_id = 1;
    for (unsigned bits = 0; bits < 63; ++bits) {  // each level literal or `+`, six levels
      std::string filter = "w";
      for (unsigned level = 0; level < 6; ++level) filter += (bits >> level & 1) != 0 ? "/+" : "/a";
      subscribe.entries.push_back({filter, {Qos::kAtLeastOnce}});
    }
    subscribe.entries.push_back({"#", {Qos::kAtLeastOnce}});
    clients.back()->Send(subscribe);
    CHECK(clients.back()->Next<mqtt::SubAck>().reasons.size() == 64);
    CHECK(clients.back()->Subscribe("one/more") == Reason::kQuotaExceeded);
  }
  MqttClient publisher(relay.port());
  REQUIRE(publisher.Connect("p").code == 0);
  for (int i = 0; i < 20; ++i) publisher.Publish("w/a/a/a/a/a/a", std::to_string(i));
  for (auto& client : clients) {
    for (int i = 0; i < 20; ++i) {
      const auto message = client->Next<mqtt::Publish>();
      CHECK(message.payload == std::to_string(i));  // one copy, not 64
      client->PubAck(message.packet_id);
    }
  }
}

TEST_CASE("hostile clients: CVE-2017-7652: without descriptors a reload changes nothing", "[net]") {
  if (kAddressSanitizer) MIG_SKIP("the sanitizers need descriptors themselves to look at memory");
  Deployment d;
  const auto bad = d.Issue(d.agents_ca, "agent", "bad");
  const auto good = d.Issue(d.agents_ca, "agent", "good");
  d.Revoke({bad});
  RunningRelay relay(d.folder / "relay.db", d.RevokingOptions(), &d.rights);
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit low{256, limit.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  std::vector<int> taken;
  for (int fd = 0; (fd = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0;) taken.push_back(fd);
  const bool reloaded = relay.Do([](MqttServer& server) { return server.ReloadTls().has_value(); });
  for (const int fd : taken) close(fd);
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK_FALSE(reloaded);
  MqttClient revoked(relay.port(), bad);
  revoked.SendBytes(ConnectBytes("bad"));
  CHECK(revoked.ClosedSilently());
  MqttClient stranger(relay.port(), d.Nobody());
  stranger.SendBytes(ConnectBytes("good"));
  CHECK(stranger.ClosedSilently());
  MqttClient agent(relay.port(), good);
  REQUIRE(agent.Connect("good").code == 0);
  CHECK(agent.Subscribe("mig/v1/dn/bad/#") == Reason::kNotAuthorized);
}

TEST_CASE("hostile clients: CVE-2017-9868: the database is nobody else's to read", "[net]") {
  TempFolder folder;
  const mode_t before = umask(0);
  {
    RunningRelay relay(folder / "relay.db");
    Honest(relay.port()).IsServed();
    umask(before);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      struct stat status {};
      REQUIRE(stat(entry.path().c_str(), &status) == 0);
      INFO(entry.path());
      CHECK((status.st_mode & 077) == 0);
    }
  }
}

}  // namespace
}  // namespace mig
