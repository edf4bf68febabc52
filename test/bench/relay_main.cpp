// Load for an MQTT broker, one thread, to compare brokers with:
//   bench_relay NAME PORT PID [CLIENTS]
// prints one line a measurement: what, how many a second, microseconds of the broker's CPU each.
// The client shares the machine with the broker, so that only ratios within one run count.
// Plain MQTT 3.1.1 on loopback; test/bench/relay.sh runs it against our relay and Mosquitto.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mqtt/codec.h"

namespace mig {
namespace {

using namespace mqtt;
using Clock = std::chrono::steady_clock;

constexpr auto kVersion = Version::k311;
constexpr std::size_t kPayloadBytes = 64;
constexpr auto kPatience = std::chrono::seconds(60);

struct Peer {
  int fd = -1;
  Bytes in;
  Bytes out;
  std::size_t connacks = 0, subacks = 0, pubacks = 0, publishes = 0;
  std::uint16_t last_id = 0;
};

double CpuSeconds(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  text.erase(0, text.rfind(')') + 2);
  unsigned long user = 0, system = 0;
  std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double ResidentKb(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6);
  }
  return 0;
}

class Load {
 public:
  Load(std::string name, std::uint16_t port, int pid)
      : name_(std::move(name)), port_(port), pid_(pid), epoll_(epoll_create1(0)) {}

  Peer& Open(const std::string& client_id, bool keep = false) {
    auto peer = std::make_unique<Peer>();
    peer->fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(peer->fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("connect");
      std::exit(1);
    }
    const int on = 1;
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{EPOLLIN, {}};
    event.data.ptr = peer.get();
    epoll_ctl(epoll_, EPOLL_CTL_ADD, peer->fd, &event);
    mqtt::Connect packet;
    packet.version = kVersion;
    packet.client_id = client_id;
    packet.clean_start = !keep;
    packet.keep_alive_seconds = 600;
    Queue(*peer, packet);
    Flush(*peer);
    peers_.push_back(std::move(peer));
    return *peers_.back();
  }
  void Close(Peer& peer) {
    close(peer.fd);
    std::erase_if(peers_, [&](const auto& p) { return p.get() == &peer; });
  }
  void Queue(Peer& peer, const Packet& packet) { AppendPacket(peer.out, packet, kVersion); }
  void Publish(Peer& peer, const std::string& topic, Qos qos) {
    mqtt::Publish publish;
    publish.topic = topic;
    publish.payload.assign(kPayloadBytes, 'x');
    publish.qos = qos;
    if (qos != Qos::kAtMostOnce) publish.packet_id = NextId(peer);
    Queue(peer, publish);
  }
  void Subscribe(Peer& peer, const std::string& filter) {
    mqtt::Subscribe subscribe;
    subscribe.packet_id = NextId(peer);
    subscribe.entries = {{filter, {Qos::kAtLeastOnce}}};
    Queue(peer, subscribe);
    Flush(peer);
  }
  void Flush(Peer& peer) {
    std::size_t sent = 0;
    while (sent < peer.out.size()) {
      const ssize_t n = send(peer.fd, peer.out.data() + sent, peer.out.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) {
        std::perror("send");
        std::exit(1);
      }
      sent += static_cast<std::size_t>(n);
    }
    peer.out.clear();
  }

  // Handles what comes until `done`, calling `turn` after each round. False: it took too long.
  bool Until(const std::function<bool()>& done, const std::function<void()>& turn = {}) {
    const auto deadline = Clock::now() + kPatience;
    while (!done()) {
      if (Clock::now() > deadline) return false;
      std::array<epoll_event, 256> events;
      const int count = epoll_wait(epoll_, events.data(), events.size(), 100);
      for (int i = 0; i < count; ++i) Read(*static_cast<Peer*>(events[i].data.ptr));
      if (turn) turn();
    }
    return true;
  }

  // Runs `work`, which does `count` things, and prints what they cost.
  void Measure(const char* what, std::size_t count, const std::function<bool()>& work) {
    const double cpu = CpuSeconds(pid_);
    const auto start = Clock::now();
    const bool done = work();
    const std::chrono::duration<double> time = Clock::now() - start;
    const double used = CpuSeconds(pid_) - cpu;
    if (!done) {
      std::printf("%-10s %-34s did not finish\n", name_.c_str(), what);
    } else {
      std::printf("%-10s %-34s %9.0f/s  %6.1f us\n", name_.c_str(), what,
                  static_cast<double>(count) / time.count(),
                  used * 1e6 / static_cast<double>(count));
    }
    std::fflush(stdout);
  }

  std::function<void(Peer&)> on_publish;
  std::size_t delivered = 0;
  std::vector<std::unique_ptr<Peer>>& peers() { return peers_; }

 private:
  static std::uint16_t NextId(Peer& peer) {
    if (++peer.last_id == 0) ++peer.last_id;
    return peer.last_id;
  }

  void Read(Peer& peer) {
    char buffer[65536];
    const ssize_t n = recv(peer.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0) {
      std::fprintf(stderr, "the broker closed a connection\n");
      std::exit(1);
    }
    if (n < 0) return;
    peer.in.append(buffer, static_cast<std::size_t>(n));
    std::size_t used = 0;
    for (;;) {
      const BytesView rest = BytesView(peer.in).substr(used);
      const auto header = ReadFixedHeader(rest);
      if (!header || !*header || rest.size() < (*header)->PacketBytes()) break;
      const BytesView packet = rest.substr(0, (*header)->PacketBytes());
      used += packet.size();
      switch ((*header)->type()) {
        case PacketType::kConnAck:
          ++peer.connacks;
          break;
        case PacketType::kSubAck:
          ++peer.subacks;
          break;
        case PacketType::kPubAck:
          ++peer.pubacks;
          break;
        case PacketType::kPublish: {
          ++peer.publishes;
          ++delivered;
          // Not decoded as a whole: the load must cost less than the broker.
          if (((*header)->first_byte & 6) != 0) {
            Reader reader(packet.substr((*header)->header_bytes));
            reader.Binary();
            Queue(peer, Ack{PacketType::kPubAck, reader.TwoBytes(), Reason::kSuccess, {}});
          }
          if (on_publish) on_publish(peer);
          break;
        }
        default:
          break;
      }
    }
    peer.in.erase(0, used);
    if (!peer.out.empty()) Flush(peer);
  }

  std::string name_;
  std::uint16_t port_;
  int pid_;
  int epoll_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

void FanOut(Load& load, Peer& publisher, std::size_t clients, Qos qos, const char* what) {
  constexpr std::size_t kMessages = 300;
  constexpr std::size_t kAhead = 10;  // messages under way: no broker has to drop any
  load.delivered = 0;
  load.Measure(what, kMessages * clients, [&] {
    std::size_t sent = 0;
    return load.Until(
        [&] { return load.delivered >= kMessages * clients; },
        [&] {
          while (sent < kMessages && sent * clients < load.delivered + kAhead * clients) {
            load.Publish(publisher, "all", qos);
            ++sent;
          }
          load.Flush(publisher);
        });
  });
}

void FanIn(Load& load, std::vector<Peer*>& agents, Qos qos, const char* what) {
  constexpr std::size_t kEach = 100;
  load.delivered = 0;
  const std::size_t total = kEach * agents.size();
  std::size_t sent = 0;
  load.Measure(what, total, [&] {
    return load.Until([&] { return load.delivered >= total; },
                      [&] {
                        // At most so many under way: fewer than a queue of Mosquitto's or ours
                        // holds.
                        while (sent < total && sent < load.delivered + 500) {
                          Peer& agent = *agents[sent % agents.size()];
                          load.Publish(agent, "in", qos);
                          load.Flush(agent);
                          ++sent;
                        }
                      });
  });
}

void Run(Load& load, int pid, const std::string& name, std::size_t clients) {
  const double before = ResidentKb(pid);
  std::vector<Peer*> agents;
  load.Measure("connect and subscribe", clients, [&] {
    for (std::size_t i = 0; i < clients; ++i) {
      Peer& agent = load.Open("agent-" + std::to_string(i));
      load.Subscribe(agent, "dn/" + std::to_string(i));
      agents.push_back(&agent);
    }
    return load.Until(
        [&] { return std::ranges::all_of(agents, [](Peer* p) { return p->subacks == 1; }); });
  });
  std::printf("%-10s %-34s %9.2f KB\n", name.c_str(), "memory of an idle connection",
              (ResidentKb(pid) - before) / static_cast<double>(clients));
  for (Peer* agent : agents) load.Subscribe(*agent, "all");
  load.Until([&] { return std::ranges::all_of(agents, [](Peer* p) { return p->subacks == 2; }); });

  Peer& server = load.Open("server");
  FanOut(load, server, clients, Qos::kAtMostOnce, "fan-out, QoS 0, deliveries");
  FanOut(load, server, clients, Qos::kAtLeastOnce, "fan-out, QoS 1, deliveries");

  load.Subscribe(server, "in");
  load.Until([&] { return server.subacks == 1; });
  FanIn(load, agents, Qos::kAtMostOnce, "fan-in, QoS 0, messages");
  FanIn(load, agents, Qos::kAtLeastOnce, "fan-in, QoS 1, messages");

  // A command to each agent, and its answer: round trips.
  std::size_t answered = 0;
  load.on_publish = [&](Peer& peer) {
    if (&peer == &server) {
      ++answered;
    } else {
      load.Publish(peer, "in", Qos::kAtLeastOnce);
    }
  };
  const std::size_t trips = 20 * clients;
  std::size_t asked = 0;
  load.Measure("command and answer, QoS 1", trips, [&] {
    return load.Until([&] { return answered >= trips; },
                      [&] {
                        while (asked < trips && asked < answered + 500) {
                          load.Publish(server, "dn/" + std::to_string(asked % clients),
                                       Qos::kAtLeastOnce);
                          ++asked;
                        }
                        load.Flush(server);
                      });
  });
  load.on_publish = {};

  // Queues of sessions that are away: every one acknowledged to the publisher.
  constexpr std::size_t kAway = 500;
  constexpr std::size_t kQueued = 20;
  for (std::size_t i = 0; i < kAway; ++i) {
    Peer& away = load.Open("away-" + std::to_string(i), true);
    load.Subscribe(away, "away/" + std::to_string(i));
    if (!load.Until([&] { return away.subacks == 1; })) return;
    load.Close(away);
  }
  const std::size_t acknowledged = server.pubacks;
  load.Measure("queue for absent sessions, QoS 1", kAway * kQueued, [&] {
    std::size_t sent = 0;
    return load.Until(
        [&] { return server.pubacks - acknowledged >= kAway * kQueued; },
        [&] {
          while (sent < kAway * kQueued && sent < server.pubacks - acknowledged + 1000) {
            load.Publish(server, "away/" + std::to_string(sent % kAway), Qos::kAtLeastOnce);
            ++sent;
          }
          load.Flush(server);
        });
  });
  load.delivered = 0;
  load.Measure("drain on return", kAway * kQueued, [&] {
    for (std::size_t i = 0; i < kAway; ++i) load.Open("away-" + std::to_string(i), true);
    return load.Until([&] { return load.delivered >= kAway * kQueued; });
  });
}

}  // namespace
}  // namespace mig

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bench_relay NAME PORT PID [CLIENTS]\n");
    return 2;
  }
  const int pid = std::atoi(argv[3]);
  mig::Load load(argv[1], static_cast<std::uint16_t>(std::atoi(argv[2])), pid);
  mig::Run(load, pid, argv[1], argc > 4 ? static_cast<std::size_t>(std::atoi(argv[4])) : 1000);
}
