// What is not HTTP, not JSON, or not signed, sent to a lab's API: each gets a clear error as a JSON
// document, and the same process goes on answering.
#include <catch2/catch.hpp>

#include "test/e2e/garbage.h"
#include "test/e2e/investigator.h"
#include "test/net/tls_client_socket.h"
#include "util/text.h"

using namespace mig;
using namespace mig::e2e;

namespace {

// {"error": {"code": …, "message": …}}, with words in both.
void CheckErrorDocument(const std::string& body) {
  INFO(body);
  const json::value document = ParseJson(body);
  REQUIRE(document.is_object());
  REQUIRE(document.as_object().contains("error"));
  CHECK_FALSE(document.at("error").at("code").as_string().empty());
  CHECK(document.at("error").at("message").as_string().size() > 5);
}

void CheckRefused(const HttpReply& reply, int status) {
  CHECK(reply.status == status);
  CHECK(reply.headers.Get("Content-Type") == "application/json");
  CheckErrorDocument(reply.body);
}

// Sends these bytes over TLS and expects that status, and a JSON document that says why.
void CheckRawRefused(const Lab& lab, const std::string& bytes, int status) {
  INFO(EscapeForTerminal(bytes.substr(0, 200)));
  TlsClientSocket client(ApiPort(lab));
  REQUIRE(client.connected());
  client.Write(bytes);
  const std::string reply = client.ReadReply();
  INFO(reply);
  REQUIRE(reply.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
  CHECK(reply.find("Content-Type: application/json\r\n") != std::string::npos);
  CheckErrorDocument(reply.substr(reply.find("\r\n\r\n") + 4));
}

// The API is the process that it was, and the way through it is open.
class StaysUp {
 public:
  explicit StaysUp(const Lab& lab) : lab_(lab), pid_(lab.PidOf("api")) {}
  ~StaysUp() {
    CHECK(lab_.PidOf("api") == pid_);
    const Outcome asked = lab_.Mig({"query", "example", "-gethostname"});
    INFO(asked.err);
    CHECK(asked.status == 0);
  }

 private:
  const Lab& lab_;
  int pid_;
};

}  // namespace

TEST_CASE("malformed: what is no HTTP gets a JSON error, and the API lives", "[e2e]") {
  using namespace std::string_literals;
  const Lab lab;
  const StaysUp stays_up(lab);
  const std::string host = "Host: localhost\r\n";
  const std::string post = "POST /v1/session HTTP/1.1\r\n" + host;
  struct Case {
    std::string bytes;
    int status;
  };
  const std::vector<Case> cases = {
      {"\x01\x02\x03\x04\r\n\r\n", 400},
      {"GET\r\n\r\n", 400},
      {"GET /v1/health\r\n\r\n", 400},
      {"GET /v1/health HTTP/9.9\r\n" + host + "\r\n", 400},
      {"GET /v1/health XTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET v1/health HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET /v1/actions/%zz HTTP/1.1\r\n" + host + "\r\n", 404},  // no segment, so no such path
      {"GET /v1/actions?limit=%zz HTTP/1.1\r\n" + host + "\r\n", 400},
      {"GET /v1/\0health HTTP/1.1\r\n"s + host + "\r\n", 400},
      {"GET /v1/health HTTP/1.1\r\nno colon here\r\n\r\n", 400},
      {"GET /v1/health HTTP/1.1\r\n: no name\r\n\r\n", 400},
      {"GET /v1/health HTTP/1.1\r\nX: a\0b\r\n\r\n"s, 400},
      {"GET /v1/health HTTP/1.1\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", 431},
      {post + "Content-Length: -1\r\n\r\n", 400},
      {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
      {post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Content-Length: 10000000\r\n\r\n", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", 413},
      {"GET /v1/no/such/path HTTP/1.1\r\n" + host + "\r\n", 404},
      {"BREW /v1/health HTTP/1.1\r\n" + host + "\r\n", 405},
      {"DELETE /v1/policy HTTP/1.1\r\n" + host + "\r\n", 405},
  };
  for (const Case& sent : cases) CheckRawRefused(lab, sent.bytes, sent.status);
}

TEST_CASE("malformed: what is no JSON of ours gets a JSON error, and the API lives", "[e2e]") {
  const Lab lab;
  const StaysUp stays_up(lab);
  Investigator investigator(lab);
  for (const char* route : {"/v1/session", "/v1/enroll", "/v1/renew"}) {
    for (const std::string& body : NoDocuments()) {
      INFO(route << ": " << EscapeForTerminal(body.substr(0, 100)));
      CheckRefused(investigator.CallUnsigned("POST", route, body), 400);
    }
  }
  for (const char* route : {"/v1/targets", "/v1/actions"}) {
    for (const std::string& body : NoDocuments()) {
      INFO(route << ": " << EscapeForTerminal(body.substr(0, 100)));
      CheckRefused(investigator.Call("POST", route, body), 400);
    }
  }

  for (const std::string& target :
       {std::string("name LIKE"), std::string("nmae = 'x'"), std::string("name ~ '['"),
        std::string("'"), std::string("name = 'x' OR 1=1; DROP TABLE agents"), std::string(),
        Repeated("(", 10'000), Repeated("NOT ", 10'000)}) {
    INFO(target.substr(0, 100));
    const std::string body = json::Write(json::object{{"target", target}});
    CheckRefused(investigator.Call("POST", "/v1/targets", body), 400);
  }
  for (const char* target :
       {"/v1/actions?limit=-1", "/v1/actions?limit=many", "/v1/actions?limit=99999999999999999999",
        "/v1/actions?before=1x", "/v1/actions/not-an-id", "/v1/actions/not-an-id/events",
        "/v1/actions/not-an-id/commands", "/v1/actions/not-an-id/results",
        "/v1/agents?target=nmae%3D1", "/v1/agents?after=x", "/v1/agents?limit=1e3"}) {
    INFO(target);
    CheckRefused(investigator.Call("GET", target), 400);
  }
  const std::string nobody(26, 'a');
  CheckRefused(investigator.Call("GET", "/v1/actions/" + nobody), 404);
  CheckRefused(investigator.Call("GET", "/v1/actions/" + nobody + "/events", {},
                                 {{"Last-Event-ID", "what was last?"}}),
               400);
}

TEST_CASE("malformed: who has not signed his request gets nothing of the API", "[e2e]") {
  const Lab lab;
  const StaysUp stays_up(lab);
  const Outcome asked = lab.Mig({"query", "example", "-gethostname", "--json"});
  REQUIRE(asked.status == 0);
  const std::string id(ParseJson(asked.out).at("action").at("id").as_string());
  const std::string action = "/v1/actions/" + id;
  Investigator investigator(lab);
  const std::vector<std::pair<std::string, std::string>> routes = {
      {"POST", "/v1/targets"},      {"POST", "/v1/actions"},
      {"GET", "/v1/actions"},       {"GET", action},
      {"GET", action + "/events"},  {"GET", action + "/commands"},
      {"GET", action + "/results"}, {"GET", "/v1/agents"}};
  // The control: signed, each is answered, if only by saying what is wrong with the body.
  for (const auto& [method, path] : routes) {
    if (path.ends_with("/events")) continue;  // a stream, not a reply
    INFO(method << " " << path);
    const std::string body = method == "POST" ? "{\"target\":\"all\"}" : "";
    CHECK(investigator.Call(method, path, body).status ==
          (path == "/v1/actions" && method == "POST" ? 400 : 200));
  }
  const std::string stale =
      "call=(\"@method\" \"@target-uri\");created=1;nonce=\"n\";keyid=\"k\";alg=\"ed25519\"";
  const std::vector<HttpHeaders> headers = {
      {},
      {{"Signature-Input", "x"}, {"Signature", "y"}},
      {{"Signature-Input", stale}, {"Signature", "call=:AAAA:"}},
      {{"Signature-Input", stale}, {"Signature", "call=:" + std::string(86, 'A') + "==:"}},
      {{"Signature-Input", std::string(4'000, '(')}, {"Signature", std::string(4'000, ':')}},
      {{"Authorization", "Bearer " + std::string(64, 'x')}}};
  for (const auto& [method, path] : routes) {
    for (const HttpHeaders& fields : headers) {
      INFO(method << " " << path);
      const std::string body = method == "POST" ? "{\"target\":\"all\"}" : "";
      CheckRefused(investigator.CallUnsigned(method, path, body, fields), 401);
    }
  }
}

TEST_CASE("malformed: nobody's body is waited for, on any route that wants a signature", "[e2e]") {
  const Lab lab;
  const StaysUp stays_up(lab);
  for (const char* route : {"POST /v1/actions", "POST /v1/targets", "PUT /v1/attachments/x",
                            "POST /v1/tokens", "POST /v1/tokens/x/sign", "POST /v1/tokens/x/revoke",
                            "POST /v1/actions/x/reject", "POST /v1/agents/x/release"}) {
    // All of it announced and none of it sent: 401 can only come of the head.
    CheckRawRefused(
        lab, std::string(route) + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n",
        401);
  }
  CheckRawRefused(
      lab, "POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4500000\r\n\r\n", 401);
  CheckRawRefused(
      lab, "POST /v1/actions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
      401);
  // What anyone may send is small, the signed policy apart.
  for (const char* route : {"/v1/session", "/v1/enroll", "/v1/renew", "/v1/freshness"}) {
    CheckRawRefused(lab,
                    "POST " + std::string(route) +
                        " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n",
                    413);
  }
}
