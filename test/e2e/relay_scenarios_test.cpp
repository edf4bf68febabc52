// The scenarios of test/mqtt/scenarios over TCP, each with a relay of its own that has just been
// started, several at once.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>

#include "mqtt/codec.h"
#include "test/e2e/process.h"
#include "test/mqtt/scenario_runner.h"
#include "test/sanitizers.h"
#include "test/temp_folder.h"

namespace mig::mqtt {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{
    20};  // for an answer; nobody waits so long when all is well
constexpr std::chrono::milliseconds kLongestWait{4000};  // of one scenario; longer ones: core only
// With a sanitizer a relay takes ten times as long to start: one of so many scenarios is run, each
// in one version in turn. (On the core all of them are.)
constexpr std::size_t kOneOf = kAddressSanitizer ? 3 : 1;
constexpr int kAtOnce = 8;  // relays; most of the time they wait

// Background's constructor uses Catch's macros, which know one thread.
std::mutex start_mutex;

class TcpBroker final : public ScenarioBroker {
 public:
  TcpBroker() { Start(); }
  ~TcpBroker() override {
    for (const auto& [fd, connection] : connections_) close(fd);
  }

  int Open(Version version) override {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw std::runtime_error("no socket");
    connections_.emplace(fd, Connection{version, {}});
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to the relay");
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }

  void Send(int fd, BytesView bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // closed: the scenario sees it when it reads
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  Event Read(int fd, bool patient) override {
    Connection& connection = connections_.at(fd);
    const auto end = Clock::now() + kPatience;
    for (;;) {
      const auto header = ReadFixedHeader(connection.received);
      if (!header) throw std::runtime_error("the relay sent " + header.error().message());
      if (*header && connection.received.size() >= (*header)->PacketBytes()) {
        const std::size_t size = (*header)->PacketBytes();
        auto packet = Decode(BytesView(connection.received).substr(0, size), connection.version);
        if (!packet) throw std::runtime_error("the relay sent " + packet.error().message());
        connection.received.erase(0, size);
        return Arrived{std::move(*packet), size};
      }
      pollfd ready{fd, POLLIN, 0};
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      const int wait = patient ? std::max(0, static_cast<int>(left.count())) : 0;
      if (poll(&ready, 1, wait) <= 0) return Silence{};
      char buffer[16384];
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0) return Closed{};
      connection.received.append(buffer, static_cast<std::size_t>(got));
    }
  }

  // The relay has seen it when it closes its side.
  void Drop(int fd) override {
    shutdown(fd, SHUT_WR);
    char buffer[16384];
    pollfd ready{fd, POLLIN, 0};
    while (poll(&ready, 1, static_cast<int>(kPatience.count()) * 1000) > 0 &&
           recv(fd, buffer, sizeof buffer, 0) > 0) {
    }
    CloseOne(fd);
  }

  void Wait(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }

  void Kill() override { StartAgain(SIGKILL); }
  void Restart() override { StartAgain(SIGTERM); }
  bool IsImmediate() const override { return false; }

 private:
  struct Connection {
    Version version{};
    Bytes received;
  };

  void Start() {
    {
      const std::lock_guard lock(start_mutex);
      relay_ = std::make_unique<e2e::Background>(
          std::vector<std::string>{MIG_BUILD_DIR "/mig", "relay", "--open", "--listen",
                                   "127.0.0.1:0", "--store", (folder_ / "relay.db").string()});
    }
    if (!relay_->WaitForOutput("sessions=", kPatience)) {
      throw std::runtime_error("the relay does not start: " + relay_->err());
    }
    const std::string& log = relay_->err();
    const auto at = log.find("port=");
    if (at == std::string::npos) throw std::runtime_error("the relay tells no port: " + log);
    port_ = static_cast<std::uint16_t>(std::atoi(log.c_str() + at + 5));
  }

  void StartAgain(int signal) {
    relay_->Signal(signal);
    if (!relay_->Wait(kPatience)) throw std::runtime_error("the relay does not end");
    while (!connections_.empty()) CloseOne(connections_.begin()->first);
    Start();
  }

  void CloseOne(int fd) {
    connections_.erase(fd);
    close(fd);
  }

  TempFolder folder_;
  std::unique_ptr<e2e::Background> relay_;
  std::uint16_t port_ = 0;
  std::map<int, Connection> connections_;
};

struct Run {
  const Scenario* scenario = nullptr;
  Version version{};
  std::optional<std::string> failure;
};

void RunAll(std::vector<Run>& runs) {
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kAtOnce; ++i) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < runs.size(); at = next++) {
        Run& run = runs[at];
        try {
          TcpBroker broker;
          run.failure = RunScenario(*run.scenario, run.version, broker);
        } catch (const std::runtime_error& error) {
          run.failure = run.scenario->title + ": " + error.what();
        }
      }
    });
  }
}

std::chrono::milliseconds WaitsOf(const Scenario& scenario) {
  std::chrono::milliseconds sum{0};
  for (const Step& step : scenario.steps) sum += step.time;
  return sum;
}

TEST_CASE("scenarios: the relay does over TCP what they say, in both versions", "[e2e]") {
  auto scenarios = LoadScenarios(MIG_SOURCE_DIR "/test/mqtt/scenarios");
  if (!scenarios) FAIL(scenarios.error().message());
  const char* wanted = std::getenv("MIG_SCENARIO");  // a part of a title, to run only those
  std::vector<Run> runs;
  std::size_t core_only = 0;
  std::size_t left_out = 0;
  std::size_t seen = 0;
  for (const Scenario& scenario : *scenarios) {
    if (wanted != nullptr && scenario.title.find(wanted) == std::string::npos) continue;
    if (!scenario.core_only.empty()) {
      ++core_only;
      WARN("not over TCP: " << scenario.title << ": " << scenario.core_only);
      continue;
    }
    INFO(scenario.title << " waits; say `core only: …` of it");
    CHECK(WaitsOf(scenario) <= kLongestWait);
    for (const auto& [version, statements] : scenario.versions) {
      if (wanted != nullptr || ++seen % kOneOf == 0) {
        runs.push_back({&scenario, version, std::nullopt});
      } else {
        ++left_out;
      }
    }
  }
  RunAll(runs);
  for (const Run& run : runs) {
    if (run.failure) FAIL_CHECK(*run.failure);
  }
  WARN(runs.size() << " runs over TCP; " << core_only << " scenarios on the core only; " << left_out
                   << " runs left to builds without a sanitizer");
}

TEST_CASE("scenarios: one that says what is not so fails over TCP as well", "[e2e]") {
  const auto scenarios = ParseScenarios(
      "scenario a\nin 5.0\ns connects\ns subscribes t qos 1\np connects\n"
      "p publishes topic t qos 1 payload x\ns <- nothing\n",
      "try.scenario");
  REQUIRE(scenarios);
  TcpBroker broker;
  const auto failure = RunScenario((*scenarios)[0], Version::k5, broker);
  REQUIRE(failure);
  CHECK(failure->find("expected nothing; came PUBLISH qos 1") != std::string::npos);
}

}  // namespace
}  // namespace mig::mqtt
