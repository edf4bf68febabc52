// The relay with Mosquitto's command line clients, in both versions of the protocol.
#include <unistd.h>

#include <functional>

#include "test/e2e/relay_binary.h"
#include "test/skip.h"
#include "util/text.h"

namespace mig::e2e {
namespace {

using namespace std::chrono_literals;

bool Installed() {
  return access("/usr/bin/mosquitto_pub", X_OK) == 0 && access("/usr/bin/mosquitto_rr", X_OK) == 0;
}

const std::vector<std::string> kVersions = {"311", "5"};

// A program of Mosquitto's against a relay, in one version of the protocol.
class Clients {
 public:
  Clients(const RelayBinary& relay, std::string version, std::vector<std::string> tls = {})
      : relay_(relay), version_(std::move(version)), tls_(std::move(tls)) {}

  std::vector<std::string> Words(const std::string& program, const std::string& line) const {
    std::vector<std::string> words = {
        "/usr/bin/mosquitto_" + program, "-h", "127.0.0.1", "-p", relay_.port(), "-V", version_};
    words.insert(words.end(), tls_.begin(), tls_.end());
    for (const std::string_view word : Split(line, ' ')) words.emplace_back(word);
    return words;
  }
  Outcome Pub(const std::string& line, const std::string& input = "") const {
    RunOptions options;
    options.input = input;
    options.deadline = 20s;
    const Outcome outcome = Run(Words("pub", line), options);
    INFO(line << ": " << outcome.err);
    CHECK(outcome.status == 0);
    return outcome;
  }
  Outcome Sub(const std::string& line) const {
    RunOptions options;
    options.deadline = 20s;
    return Run(Words("sub", line), options);
  }
  // Subscribes and goes on in the background; returns once the relay has acknowledged it.
  std::unique_ptr<Background> Listen(const std::string& line) const {
    RunOptions line_by_line;
    auto words = Words("sub", line + " -d");
    words.insert(words.begin(), {"/usr/bin/stdbuf", "-oL"});
    auto listening = std::make_unique<Background>(words, line_by_line);
    REQUIRE(listening->WaitForOutput("Subscribed (mid: 1)", 20s));
    return listening;
  }
  // For a session that outlives its connection.
  std::string Kept(const std::string& name) const {
    return "-i " + name + " -c" + (version_ == "5" ? " -x 600" : "");
  }
  bool is_5() const { return version_ == "5"; }

 private:
  const RelayBinary& relay_;
  const std::string version_;
  const std::vector<std::string> tls_;
};

std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "message " + std::to_string(i) + "\n";
  return text;
}

// How many messages a listener was sent, as its debugging output tells.
std::size_t Messages(const std::string& out) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = out.find("received PUBLISH", at)) != std::string::npos; ++at) {
    ++count;
  }
  return count;
}

bool Eventually(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
  }
  return true;
}

TEST_CASE("mosquitto: a hundred messages of each QoS come once and in order", "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  const RelayBinary relay;
  for (const std::string& version : kVersions) {
    const Clients clients(relay, version);
    for (const char* qos : {"0", "1", "2"}) {
      INFO("MQTT " << version << ", QoS " << qos);
      auto words = clients.Words("sub", std::string("-t a/# -C 100 -q ") + qos);
      Background sub(words);
      // It has no other way to say that it listens; whoever asks counts as well.
      REQUIRE(Eventually(
          [&] { return clients.Sub("-t $SYS/broker/subscriptions/count -C 1").out == "2\n"; }));
      clients.Pub(std::string("-l -t a/b -q ") + qos, Lines(100));
      const auto outcome = sub.Wait(20s);
      REQUIRE(outcome);
      CHECK(outcome->out == Lines(100));
    }
  }
}

TEST_CASE("mosquitto: what waits for a session is there after the relay was killed", "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  RelayBinary relay;
  for (const std::string& version : kVersions) {
    for (const char* qos : {"1", "2"}) {
      INFO("MQTT " << version << ", QoS " << qos);
      const Clients clients(relay, version);
      const std::string keep =
          clients.Kept("keeper" + version + qos) + " -t q/" + version + "/# -q " + qos;
      REQUIRE(clients.Sub(keep + " -E").status == 0);
      clients.Pub("-l -t q/" + version + "/x -q " + qos, Lines(20));
      clients.Pub("-r -t kept/" + version + " -q 1 -m remembered");
      relay.Kill();
      relay.Start();
      CHECK(clients.Sub(keep + " -C 20").out == Lines(20));
      CHECK(clients.Sub("-t kept/" + version + " -C 1").out == "remembered\n");
      clients.Pub("-r -n -t kept/" + version);
      // No message is left, and the session ends with a clean start.
      CHECK(clients.Sub("-i keeper" + version + qos + " -t nothing -E").status == 0);
    }
  }
}

TEST_CASE("mosquitto: a will is sent for who dies, and not for who leaves", "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  const RelayBinary relay;
  for (const std::string& version : kVersions) {
    INFO("MQTT " << version);
    const Clients clients(relay, version);
    auto watcher = clients.Listen("-t wills -q 2 -v");
    const std::string will = " --will-topic wills --will-qos 2 --will-payload gone-";
    CHECK(clients.Sub("-t x -E" + will + "leaver").status == 0);
    auto dying = clients.Listen("-t x" + will + "dier");
    dying->Signal(SIGKILL);
    CHECK(watcher->WaitForOutput("wills gone-dier", 20s));
    watcher->Signal(SIGTERM);
    const auto outcome = watcher->Wait(20s);
    REQUIRE(outcome);
    CHECK(outcome->out.find("gone-leaver") == std::string::npos);
  }
}

TEST_CASE("mosquitto: shared subscribers divide the messages among them", "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  const RelayBinary relay;
  for (const std::string& version : kVersions) {
    INFO("MQTT " << version);
    const Clients clients(relay, version);
    std::vector<std::unique_ptr<Background>> members;
    for (int i = 0; i < 3; ++i) members.push_back(clients.Listen("-t $share/g/work -q 1"));
    auto everything = clients.Listen("-t work -q 1");
    clients.Pub("-l -t work -q 1", Lines(30));
    REQUIRE(everything->WaitForOutput("message 29", 20s));
    clients.Pub("-t work -q 1 -m last");  // each has had its share by the time this one came
    REQUIRE(everything->WaitForOutput("last", 20s));
    std::size_t total = 0;
    for (const auto& member : members) {
      member->Signal(SIGTERM);
      const auto outcome = member->Wait(20s);
      REQUIRE(outcome);
      CHECK(Messages(outcome->out) >= 5);
      total += Messages(outcome->out);
    }
    CHECK(total >= 30);
    CHECK(total <= 31);
  }
}

TEST_CASE("mosquitto: a request has its response", "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  const RelayBinary relay;
  for (const std::string& version : kVersions) {
    INFO("MQTT " << version);
    const Clients clients(relay, version);
    auto responder = clients.Listen("-t ask -q 1 -F topic=%R=payload=%p");
    Background asking(clients.Words("rr", "-t ask -e answers/1 -q 1 -m question"));
    REQUIRE(responder->WaitForOutput(
        clients.is_5() ? "topic=answers/1=payload=question" : "payload=question", 20s));
    clients.Pub("-t answers/1 -q 1 -m answer");
    const auto outcome = asking.Wait(20s);
    REQUIRE(outcome);
    CHECK(outcome->status == 0);
    CHECK(outcome->out == "answer\n");
  }
}

TEST_CASE("mosquitto: properties arrive, expiry counted, and topic aliases work", "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  const RelayBinary relay;
  const Clients clients(relay, "5");
  const std::string keep = clients.Kept("keeper") + " -q 1 -t p";
  REQUIRE(clients.Sub(keep + " -E").status == 0);
  clients.Pub(
      "-t p -q 1 -m x -D publish message-expiry-interval 500 -D publish content-type text "
      "-D publish user-property color blue -D publish response-topic r "
      "-D publish correlation-data c7 -D publish topic-alias 3");
  const Outcome received = clients.Sub(keep + " -C 1 -F %C=%R=%P=%D=%E");
  CHECK((received.out == "text=r=color:blue=c7=500\n" ||
         received.out == "text=r=color:blue=c7=499\n"));
}

TEST_CASE("mosquitto: over TLS each certificate has its rights, and $SYS is the monitor's",
          "[clients]") {
  if (!Installed()) MIG_SKIP("mosquitto-clients is not installed");
  Certificates certificates;
  certificates.IssueAgent("a1", "a1");
  certificates.IssueServer("monitor", {"monitor", "m1"});
  RelayBinary relay("", &certificates);
  const auto tls = [&](const std::string& name) {
    return std::vector<std::string>{"--cafile", certificates.File("servers-ca.crt"),
                                    "--cert",   certificates.File(name + ".crt"),
                                    "--key",    certificates.File(name + ".key")};
  };
  for (const std::string& version : kVersions) {
    INFO("MQTT " << version);
    const Clients agent(relay, version, tls("a1"));
    const Clients scheduler(relay, version, tls("client"));
    const Clients monitor(relay, version, tls("monitor"));
    auto listening = agent.Listen("-i a1 -t mig/v1/dn/a1/# -q 1");
    scheduler.Pub("-i scheduler -t mig/v1/dn/a1/cmd -q 1 -m order");
    CHECK(listening->WaitForOutput("order", 20s));
    listening.reset();
    for (const char* filter : {"#", "mig/v1/dn/a2/#", "$SYS/#"}) {
      INFO(filter);
      const Outcome refused = agent.Sub(std::string("-i a1 -E -t ") + filter);
      CHECK(refused.err.find("denied") != std::string::npos);
    }
    CHECK(monitor.Sub("-i monitor -t $SYS/broker/clients/connected -C 1").out == "1\n");
    CHECK(agent.Sub("-i someone-else -t mig/v1/dn/a1/cmd -E").status != 0);
  }
  const std::string log = relay.Stop().err;
  CHECK(log.find("refused client=a1 certificate=agent/a1 address=127.0.0.1 code=0x87 "
                 "reason=\"not authorized\"") != std::string::npos);
  CHECK(log.find("refused client=someone-else certificate=agent/a1") != std::string::npos);
}

}  // namespace
}  // namespace mig::e2e
