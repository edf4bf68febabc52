// An API that answers nonsense, now and then: the client says so and ends with an exit status, and
// never with an answer that it made up.
#include <catch2/catch.hpp>
#include <fstream>

#include "test/e2e/deployment.h"
#include "test/e2e/garbage.h"
#include "test/net/scripted_server.h"
#include "test/net/tls_client_socket.h"
#include "util/text.h"

using namespace mig;
using namespace mig::e2e;

namespace {

// Stands before the lab's API with a certificate of its own, and answers what `path` begins with
// itself.
class Proxy {
 public:
  Proxy(const Lab& lab, std::string method, std::string path, std::string answer)
      : api_(ApiPort(lab)),
        mark_(std::move(method) + " " + std::move(path)),
        answer_(std::move(answer)),
        server_([this](auto& client) { Converse(client); }, (lab.folder() / "tls/api.crt").string(),
                (lab.folder() / "tls/api.key").string()) {
    std::string text = ReadText(lab.folder() / "config/client.yaml");
    const auto at = text.find("api: ");
    REQUIRE(at != std::string::npos);
    text.replace(at, text.find('\n', at) - at, "api: https://" + server_.Authority());
    config_ = lab.folder() / "config/client-of-proxy.yaml";
    std::ofstream(config_) << text;
  }
  std::string config() const { return config_.string(); }
  int lies() const { return lies_; }

 private:
  // One request a connection, because the server serves one connection at a time.
  void Converse(ScriptedServer::Conversation& client) {
    const std::string request = client.ReadRequest();
    if (request.starts_with(mark_)) {
      ++lies_;
      client.Write(answer_);
    } else if (!request.empty()) {
      TlsClientSocket api(api_);
      api.Write(request);
      std::string reply = api.ReadReply();
      reply.insert(reply.find("\r\n") + 2, "Connection: close\r\n");
      client.Write(reply);
    }
  }

  const std::uint16_t api_;
  const std::string mark_, answer_;
  std::filesystem::path config_;
  std::atomic<int> lies_ = 0;
  ScriptedServer server_;  // last: its thread uses the others
};

std::string Reply(const std::string& body, const std::string& type = "application/json") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// Runs the verb by way of the proxy: it ends by itself, unsuccessfully, and says why.
void CheckComplains(const Lab& lab, const Proxy& proxy, std::vector<std::string> words) {
  words.insert(words.end(), {"--config", proxy.config()});
  const Outcome outcome = lab.Mig(words, {.deadline = std::chrono::seconds(30)});
  INFO(Join(words, " ") << "\nstatus " << outcome.status << "\n" << outcome.out << outcome.err);
  CHECK_FALSE(outcome.timed_out);
  CHECK(proxy.lies() > 0);
  CHECK(outcome.status >= 2);
  CHECK(outcome.status <= 5);
  CHECK(outcome.err.find("mig") != std::string::npos);
  CHECK(outcome.out.find("hostname is") == std::string::npos);
}

const std::vector<std::string> kAsk = {"query", "example", "-t", "all", "-gethostname"};

}  // namespace

TEST_CASE("malformed: an API whose answers are no JSON gets no verb to succeed", "[e2e]") {
  const Lab lab;
  struct Place {
    const char* method;
    const char* path;
    std::vector<std::string> verb;
  };
  const std::vector<Place> places = {
      {"POST", "/v1/session", kAsk},     {"GET", "/v1/policy", kAsk},
      {"POST", "/v1/targets", kAsk},     {"POST", "/v1/actions", kAsk},
      {"GET", "/v1/agents", {"agents"}}, {"GET", "/v1/actions", {"status"}}};
  for (const Place& place : places) {
    for (const char* body : {"{}", "\xff\xfe"}) {
      INFO(place.path << ": " << EscapeForTerminal(body));
      const Proxy proxy(lab, place.method, place.path, Reply(body));
      CheckComplains(lab, proxy, place.verb);
    }
  }
  for (const std::string& body : {std::string("{"), std::string("[]"), Repeated("[", 30'000)}) {
    const Proxy proxy(lab, "GET", "/v1/agents", Reply(body));
    CheckComplains(lab, proxy, {"agents"});
  }
}

TEST_CASE("malformed: an API that does not speak HTTP gets no verb to succeed", "[e2e]") {
  const Lab lab;
  for (const std::string& answer :
       {std::string("SSH-2.0-OpenSSH_9.2p1\r\n\r\n"), std::string("HTTP/9.9 zwei\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x') + "\r\n\r\n",
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
    INFO(EscapeForTerminal(answer.substr(0, 80)));
    const Proxy proxy(lab, "GET", "/v1/agents", answer);
    CheckComplains(lab, proxy, {"agents"});
  }
}

TEST_CASE("malformed: an event stream of nonsense is no answer", "[e2e]") {
  const Lab lab;
  const Outcome asked = lab.Mig({"query", "example", "-gethostname", "--json"});
  REQUIRE(asked.status == 0);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
  for (const std::string& events :
       {std::string("event: part\nid: 1\ndata: {\n\n"), std::string("event: part\ndata: []\n\n"),
        std::string("event: part\nid: 1\ndata: {\"agent\":7}\n\n"),
        std::string("event: progress\ndata: {\"status\":\"odd\"}\n\n"),
        std::string("event: command\ndata: {}\n\n")}) {
    INFO(events);
    const Proxy proxy(lab, "GET", "/v1/actions/" + id + "/events", head + events);
    CheckComplains(lab, proxy, {"results", id, "-f"});
  }
}
