// The relay as it runs, watched: `mig relay status`, metrics, the log.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/e2e/relay_binary.h"
#include "test/net/metrics_parser.h"
#include "test/net/mqtt_client.h"
#include "util/json.h"

namespace mig::e2e {
namespace {

using namespace std::chrono_literals;

Outcome Status(const RelayBinary& relay, std::vector<std::string> more = {}) {
  std::vector<std::string> words = {MigExecutable(), "relay", "status", "--config",
                                    relay.config().string()};
  words.insert(words.end(), more.begin(), more.end());
  return Run(words);
}

json::object StatusOf(const RelayBinary& relay) {
  const Outcome outcome = Status(relay, {"--json"});
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
  return json::ParseObject(outcome.out).value();
}

class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;

  // What comes after this was said, up to the end.
  std::string Ask(const std::string& text) const {
    REQUIRE(send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
    return Rest();
  }
  std::string Rest() const {
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd_, buffer, sizeof buffer, 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(got));
    }
    return answer;
  }

 private:
  int fd_;
};

std::string Get(std::uint16_t port, const std::string& what = "GET /metrics") {
  return Connection(port).Ask(what + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

std::map<std::string, Metric> MetricsAt(std::uint16_t port) {
  const std::string answer = Get(port);
  REQUIRE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") !=
        std::string::npos);
  return ParseMetrics(answer.substr(answer.find("\r\n\r\n") + 4));
}

std::uint16_t MetricsPort(const RelayBinary& relay) {
  return static_cast<std::uint16_t>(StatusOf(relay).at("metrics_port").as_int64());
}

std::uint16_t Port(const RelayBinary& relay) {
  return static_cast<std::uint16_t>(std::stoi(relay.port()));
}

TEST_CASE("relay status: it tells clients, queues, refusals and full limits", "[e2e]") {
  const RelayBinary relay("deny_subscribe: ['#']\nlimits: {sessions: 5}\n");
  {
    MqttClient away(Port(relay));
    away.Connect("absent", true);
    CHECK(away.Subscribe("to/absent") == mqtt::Reason::kGrantedQos1);
  }
  MqttClient client(Port(relay));
  client.Connect("present");
  CHECK(client.Subscribe("#") == mqtt::Reason::kNotAuthorized);
  for (int i = 0; i < 3; ++i) {
    client.Publish("to/absent", "12345");
    CHECK(client.Next<mqtt::Ack>().reason == mqtt::Reason::kSuccess);
  }
  const json::object status = StatusOf(relay);
  CHECK(status.at("pid").as_int64() == relay.pid());
  CHECK(status.at("port").as_int64() == Port(relay));
  CHECK(status.at("open").as_bool());
  CHECK(status.at("clients").as_int64() == 1);
  CHECK(status.at("sessions").as_int64() == 2);
  CHECK(status.at("queued").at("messages").as_int64() == 3);
  const auto& queue = status.at("queues").at(0);
  CHECK(queue.at("name").as_string() == "absent");
  CHECK_FALSE(queue.at("connected").as_bool());
  CHECK(queue.at("messages").as_int64() == 3);
  CHECK(status.at("refused").at(0).at("reason").as_string() == "not authorized");
  CHECK(status.at("disk").at("writable").as_bool());
  CHECK(status.at("disk").at("commits").to_number<int>() > 0);

  MqttClient third(Port(relay)), fourth(Port(relay));
  third.Connect("third");
  fourth.Connect("fourth");
  const Outcome text = Status(relay);
  CHECK(text.status == 0);
  CHECK(text.out.find("Near a limit:") != std::string::npos);
  CHECK(text.out.find("absent") != std::string::npos);
  const Outcome by_store =
      Run({MigExecutable(), "relay", "status", "--store", relay.store().string()});
  CHECK(by_store.status == 0);
}

TEST_CASE("relay status: that no relay runs is said, also of one that was killed", "[e2e]") {
  RelayBinary relay;
  CHECK(Status(relay).status == 0);
  relay.Kill();
  REQUIRE(std::filesystem::exists(relay.store().string() + "-control"));
  Outcome outcome = Status(relay);
  CHECK(outcome.status == 5);
  CHECK(outcome.err.find("no relay runs with the database " + relay.store().string()) !=
        std::string::npos);
  relay.Start();
  CHECK(Status(relay).status == 0);
  relay.Stop();
  CHECK_FALSE(std::filesystem::exists(relay.store().string() + "-control"));
  outcome = Status(relay, {"--store", "other.db"});
  CHECK(outcome.status == 2);
  CHECK(Run({MigExecutable(), "relay", "status", "--config", "/none/relay.yaml"}).status == 2);
}

TEST_CASE("relay metrics: they are there for scrapers, and nothing else is", "[e2e]") {
  RelayBinary relay("metrics: {listen: '127.0.0.1:0'}\n");
  const std::uint16_t port = MetricsPort(relay);
  auto before = MetricsAt(port);
  CHECK(before.at("mig_relay_clients").samples.at("mig_relay_clients") == 0);
  MqttClient client(Port(relay));
  client.Connect("a");
  client.Publish("t", "12345");
  client.Next<mqtt::Ack>();
  auto after = MetricsAt(port);
  const auto value = [&after](const std::string& name) { return after.at(name).samples.at(name); };
  CHECK(value("mig_relay_clients") == 1);
  CHECK(value("mig_relay_messages_published_total") == 1);
  CHECK(value("mig_relay_message_bytes_published_total") == 5);
  CHECK(after.size() == before.size());  // none comes and goes
  CHECK(Get(port, "POST /metrics").starts_with("HTTP/1.1 405 "));
  CHECK(Get(port, "GET /").starts_with("HTTP/1.1 404 "));
  CHECK(Get(port, "GET /metrics/../../etc/passwd").find("root:") == std::string::npos);
}

TEST_CASE("relay metrics: scrapers that say nothing keep nobody from the relay", "[e2e]") {
  const RelayBinary relay("metrics: {listen: '127.0.0.1:0'}\n");
  const std::uint16_t port = MetricsPort(relay);
  std::vector<std::unique_ptr<Connection>> silent;
  for (int i = 0; i < 32; ++i) silent.push_back(std::make_unique<Connection>(port));
  CHECK(Connection(port).Rest().empty());  // one more is closed at once
  MqttClient client(Port(relay));
  CHECK(client.Connect("a").code == 0);
  silent.pop_back();
  CHECK(StatusOf(relay).at("clients").as_int64() == 1);
}

TEST_CASE("relay metrics: off loopback they need a certificate", "[e2e]") {
  const TempFolder folder;
  const auto config = folder.Write(
      "relay.yaml",
      "open: true\nlisten: 127.0.0.1:0\nstore: r.db\nmetrics: {listen: '0.0.0.0:0'}\n");
  const Outcome refused = Run({MigExecutable(), "relay", "--config", config.string()});
  CHECK(refused.status == 2);
  CHECK(refused.err.find("metrics.listen") != std::string::npos);

  const Certificates certificates;
  const RelayBinary relay("metrics: {listen: '0.0.0.0:0'}\n", &certificates);
  const std::uint16_t port = MetricsPort(relay);
  CHECK_FALSE(Get(port).starts_with("HTTP/1.1 200"));
  const Outcome scraped = Run({"/usr/bin/curl", "--silent", "--show-error", "--cacert",
                               certificates.File("servers-ca.crt"),
                               "https://127.0.0.1:" + std::to_string(port) + "/metrics"});
  INFO(scraped.err);
  CHECK(scraped.status == 0);
  CHECK(ParseMetrics(scraped.out).size() > 10);
}

}  // namespace
}  // namespace mig::e2e
