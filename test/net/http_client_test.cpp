// The client against a server that says what the test wants said.
#include "net/http_client.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "test/net/certificates.h"
#include "test/net/run_until.h"
#include "test/net/scripted_server.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using Conversation = ScriptedServer::Conversation;

HttpClientOptions Plain(const ScriptedServer& server) {
  HttpClientOptions options;
  options.url = "http://" + server.Authority();
  options.connect_timeout = 5s;
  options.call_timeout = 5s;
  return options;
}

ScriptedServer::Script Always(std::string reply) {
  return [reply](Conversation& c) {
    while (!c.ReadRequest().empty()) c.Write(reply);
  };
}

constexpr const char* kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello";

std::string Chunk(const std::string& text) {
  std::ostringstream chunk;
  chunk << std::hex << text.size() << "\r\n" << text << "\r\n";
  return chunk.str();
}

}  // namespace

TEST_CASE("http client: a call goes out and a reply comes in, over one kept connection", "[net]") {
  std::vector<std::string> heard;
  ScriptedServer server([&](Conversation& c) {
    for (;;) {
      const std::string request = c.ReadRequest();
      if (request.empty()) return;
      heard.push_back(request);
      c.Write(kHello);
    }
  });
  {
    HttpClient client(Plain(server));
    HttpCall call;
    call.method = "POST";
    call.target = "/v1/x?y=1";
    call.headers = {{"X-One", "1"}};
    call.body = "body";
    const auto reply = client.Call(call);
    REQUIRE(reply);
    CHECK(reply->status == 200);
    CHECK(reply->body == "hello");
    CHECK(reply->headers.Get("x-a") == "b");
    CHECK(client.Call({})->body == "hello");
  }
  CHECK(server.connections() == 1);
  REQUIRE(heard.size() == 2);
  CHECK(heard[0].starts_with("POST /v1/x?y=1 HTTP/1.1\r\n"));
  CHECK(heard[0].find("\r\nHost: " + server.Authority() + "\r\n") != std::string::npos);
  CHECK(heard[0].find("\r\nX-One: 1\r\n") != std::string::npos);
  CHECK(heard[0].ends_with("\r\n\r\nbody"));
  CHECK(heard[1].starts_with("GET / HTTP/1.1\r\n"));
}

TEST_CASE("http client: a reply of any status is a reply", "[net]") {
  ScriptedServer server(Always("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}"));
  HttpClient client(Plain(server));
  const auto reply = client.Call({});
  REQUIRE(reply);
  CHECK(reply->status == 503);
  CHECK(reply->body == "{}");
}

TEST_CASE("http client: a server that closes between calls is called anew", "[net]") {
  ScriptedServer server([](Conversation& c) {
    c.ReadRequest();
    c.Write(kHello);
  });
  HttpClient client(Plain(server));
  CHECK(client.Call({}).has_value());
  std::this_thread::yield();
  // Whether the end has arrived by now is the kernel's affair; a later call sees it.
  int failures = 0;
  while (server.connections() < 3 && failures < 5) {
    if (!client.Call({})) ++failures;
  }
  CHECK(server.connections() >= 3);
}

TEST_CASE("http client: what is not HTTP, too large, cut short or silent is told apart", "[net]") {
  const auto code_of = [](const ScriptedServer::Script& script, auto change) {
    ScriptedServer server(script);
    HttpClientOptions options = Plain(server);
    change(options);
    HttpClient client(options);
    const auto reply = client.Call({});
    REQUIRE_FALSE(reply);
    CHECK(reply.error().message().find("127.0.0.1") != std::string::npos);
    return reply.error().code();
  };
  const auto as_is = [](HttpClientOptions&) {};
  CHECK(code_of(Always("SSH-2.0-OpenSSH_9.2\r\n\r\n"), as_is) == Errc::kMalformed);
  CHECK(code_of(Always(kHello), [](HttpClientOptions& o) { o.max_reply_bytes = 4; }) ==
        Errc::kFull);
  CHECK(code_of(Always("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')), as_is) ==
        Errc::kFull);
  CHECK(code_of(
            [](Conversation& c) {
              c.ReadRequest();
              c.Write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel");
            },
            as_is) == Errc::kUnavailable);
  CHECK(code_of([](Conversation& c) { c.ReadRequest(), c.ReadRequest(); },
                [](HttpClientOptions& o) { o.call_timeout = 50ms; }) == Errc::kTimeout);
}

TEST_CASE("http client: nobody there, and names that do not exist", "[net]") {
  HttpClientOptions options;
  {
    ScriptedServer gone(Always(kHello));
    options.url = "http://" + gone.Authority();
  }
  CHECK(HttpClient(options).Call({}).error().code() == Errc::kUnavailable);
  options.ca_pin = Bytes(32, 'x');
  options.url = "https://no-such-host.invalid";
  options.connect_timeout = 300ms;
  const auto code = HttpClient(options).Call({}).error().code();
  CHECK((code == Errc::kUnavailable || code == Errc::kTimeout));  // by who resolves names here
}

TEST_CASE("http client: options that make no sense are told before anything is sent", "[net]") {
  for (const char* url : {"", "127.0.0.1:1", "ftp://127.0.0.1:1", "https://", "https://h/path",
                          "http://example.org:1", "https://user@h"}) {
    CAPTURE(url);
    HttpClientOptions options;
    options.url = url;
    options.ca_pin = Bytes(32, 'x');
    CHECK(HttpClient(options).Call({}).error().code() == Errc::kInvalid);
  }
  HttpClientOptions options;
  options.url = "https://127.0.0.1:1";
  CHECK(HttpClient(options).Call({}).error().code() == Errc::kInvalid);  // believes nobody
  options.ca_file = "/nonexistent/ca.crt";
  CHECK(HttpClient(options).Call({}).error().message().find("/nonexistent/ca.crt") !=
        std::string::npos);
}

TEST_CASE("http client: a server is believed by its CA's file or pin, for the host called",
          "[net]") {
  const Certificates certificates;
  const auto call = [&](const std::string& who, const char* host, const std::string& ca,
                        const Bytes& pin) {
    ScriptedServer server(Always(kHello), certificates.File(who + ".crt"),
                          certificates.File(who + ".key"));
    HttpClientOptions options;
    options.url = "https://" + server.Authority(host);
    options.ca_file = ca;
    options.ca_pin = pin;
    const auto reply = HttpClient(options).Call({});
    return reply ? reply->body : std::string(ErrcName(reply.error().code()));
  };
  const std::string ca = certificates.File("servers-ca.crt");
  const std::string strangers = certificates.File("strangers-ca.crt");
  const std::string denied(ErrcName(Errc::kDenied));
  CHECK(call("server", "127.0.0.1", ca, "") == "hello");
  CHECK(call("server", "localhost", ca, "") == "hello");
  CHECK(call("server", "127.0.0.1", "", certificates.pin) == "hello");
  CHECK(call("server", "localhost", "", certificates.pin) == "hello");

  CHECK(call("server", "127.0.0.1", strangers, "") == denied);
  CHECK(call("server", "127.0.0.1", "", certificates.strangers_pin) == denied);
  CHECK(call("elsewhere", "127.0.0.1", ca, "") == denied);
  CHECK(call("elsewhere", "127.0.0.1", "", certificates.pin) == denied);
  CHECK(call("elsewhere", "localhost", "", certificates.pin) == denied);
  // A certificate for clients does not make a server, whoever signed it.
  CHECK(call("client", "127.0.0.1", ca, "") == denied);
  CHECK(call("client", "127.0.0.1", "", certificates.pin) == denied);
}

TEST_CASE("http client: the pin of a server's own key is not that of its CA", "[net]") {
  const Certificates certificates;
  std::ifstream in(certificates.File("server.crt"));
  const std::string chain((std::istreambuf_iterator<char>(in)), {});
  ScriptedServer server(Always(kHello), certificates.File("server.crt"),
                        certificates.File("server.key"));
  HttpClientOptions options;
  options.url = "https://" + server.Authority();
  options.ca_pin = *SpkiPin(chain);  // of the first certificate: the leaf
  CHECK(HttpClient(options).Call({}).error().code() == Errc::kDenied);
}

TEST_CASE("http client: events are handed over as they arrive, until the stream ends", "[net]") {
  ScriptedServer server([](Conversation& c) {
    const std::string request = c.ReadRequest();
    if (request.empty()) return;
    c.Write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    c.Write(Chunk("event: part\nid: 1\ndata: on"));
    c.Write(Chunk("e\n\n: comment\n\n"));
    c.Write(Chunk("id: 2\ndata: two\n\nev"));
    c.Write("0\r\n\r\n");
  });
  HttpClient client(Plain(server));
  std::string seen;
  const auto ended = client.Stream({}, [&](const SseEvent& event) {
    seen += event.event + "|" + event.id + "|" + event.data + ";";
    return true;
  });
  REQUIRE(ended);
  CHECK(ended->status == 200);
  CHECK(seen == "part|1|one;message|2|two;");

  int count = 0;  // an owner that has had enough
  CHECK(client.Stream({}, [&](const SseEvent&) { return ++count < 1; }).has_value());
  CHECK(count == 1);
}

TEST_CASE("http client: a stream that breaks, falls silent or is refused says which", "[net]") {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto nothing = [](const SseEvent&) { return true; };
  {
    ScriptedServer server([&](Conversation& c) {
      c.ReadRequest();
      c.Write(head + Chunk("data: a\n\n"));
    });
    CHECK(HttpClient(Plain(server)).Stream({}, nothing).error().code() == Errc::kUnavailable);
  }
  {
    ScriptedServer server([&](Conversation& c) {
      c.ReadRequest();
      c.Write(head);
      c.ReadRequest();
    });
    HttpClientOptions options = Plain(server);
    options.stream_silence = 50ms;
    CHECK(HttpClient(options).Stream({}, nothing).error().code() == Errc::kTimeout);
  }
  {
    ScriptedServer server(Always("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"));
    const auto refused = HttpClient(Plain(server)).Stream({}, nothing);
    REQUIRE(refused);
    CHECK(refused->status == 404);
    CHECK(refused->body == "{}");
  }
}

TEST_CASE("http client: an interrupt ends the call under way, or else the next one", "[net]") {
  ScriptedServer server([](Conversation& c) {
    for (;;) {
      const std::string request = c.ReadRequest();
      if (request.empty()) return;
      if (request.starts_with("GET /slow")) continue;
      c.Write(kHello);
    }
  });
  HttpClientOptions options = Plain(server);
  options.call_timeout = 60s;
  HttpClient client(options);
  client.Interrupt();
  CHECK(client.Call({}).error().message() == "interrupted");
  CHECK(client.Call({}).has_value());
  std::thread other([&] { client.Interrupt(); });
  HttpCall slow;
  slow.target = "/slow";
  CHECK(client.Call(slow).error().message() == "interrupted");
  other.join();
  CHECK(client.Call({}).has_value());
}

TEST_CASE("async http client: calls are made in order, and none after the client", "[net]") {
  std::vector<std::string> heard;
  boost::asio::io_context io;
  std::vector<std::string> replies;
  int full = 0;
  {
    ScriptedServer server([&](Conversation& c) {
      for (;;) {
        const std::string request = c.ReadRequest();
        if (request.empty()) return;
        heard.push_back(request.substr(0, request.find(" HTTP")));
        c.Write(kHello);
      }
    });
    auto client = std::make_unique<AsyncHttpClient>(io, Plain(server));
    for (int i = 0; i < 20; ++i) {
      HttpCall call;
      call.target = "/" + std::to_string(i);
      client->Call(call, [&](Expected<HttpReply> reply) {
        if (reply) {
          replies.push_back(reply->body);
        } else if (reply.error().code() == Errc::kFull) {
          ++full;
        }
      });
    }
    CHECK(replies.empty());  // never from inside Call
    REQUIRE(RunUntil(io, [&] { return replies.size() + static_cast<std::size_t>(full) == 20; }));
    CHECK(full == 4);
    client->Call({}, [&](Expected<HttpReply>) { replies.emplace_back("too late"); });
    io.run_one();
    client.reset();
    io.run();
  }
  REQUIRE(heard.size() >= 16);
  CHECK(heard[0] == "GET /0");
  CHECK(heard[15] == "GET /15");
  CHECK(replies == std::vector<std::string>(16, "hello"));
}

}  // namespace mig
