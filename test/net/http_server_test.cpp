// The server against clients that are slow, rude, confused, many, or simply gone.
#include "net/http_server.h"

#include <openssl/x509.h>
#include <poll.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <stdexcept>
#include <thread>

#include "net/http_client.h"
#include "net/sse_parser.h"
#include "test/net/certificates.h"
#include "test/net/tls_client_socket.h"

namespace mig {
namespace {

using namespace std::chrono_literals;

// A server with a handful of routes, run by a thread of its own.
class TestServer {
 public:
  using Change = std::function<void(HttpServerOptions&)>;

  explicit TestServer(const Change& change = nullptr) {
    HttpServerOptions options;
    options.listen = "127.0.0.1:0";
    options.certificate_file = certificates.File("server.crt");
    options.key_file = certificates.File("server.key");
    if (change) change(options);
    server_ = HttpServer::Start(io_, std::move(options), Routes()).value();
    port_ = server_->port();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~TestServer() {
    Run([this] {
      held.clear();
      sinks.clear();
      server_.reset();
      lives_.reset();
    });
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  std::size_t connections() {
    return Run([this] { return server_->connections(); });
  }
  bool AwaitConnections(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (connections() != count) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  HttpServer& server() { return *server_; }

  // Runs `work` on the server's thread.
  template <typename Work>
  auto Run(Work work) -> decltype(work()) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto outcome = task.get_future();
    boost::asio::post(io_, [&] { task(); });
    return outcome.get();
  }

  HttpClientOptions Client() const {
    HttpClientOptions options;
    options.url = "https://127.0.0.1:" + std::to_string(port_);
    options.ca_file = certificates.File("servers-ca.crt");
    return options;
  }
  // That a well-behaved client is still served.
  bool Lives() const {
    HttpCall call;
    call.target = "/v1/echo/x";
    const auto reply = HttpClient(Client()).Call(call);
    return reply && reply->status == 200;
  }

  Certificates certificates;
  // On the server's thread.
  std::vector<std::shared_ptr<HttpExchange>> held;
  std::vector<std::shared_ptr<EventSink>> sinks;
  int gone = 0;

 private:
  static HttpReply Text(int status, Bytes body) {
    return {status, {{"Content-Type", "text/plain"}}, std::move(body)};
  }

  std::vector<HttpRoute> Routes() {
    using Exchange = std::shared_ptr<HttpExchange>;
    return {
        {"GET", "/v1/echo/{what}", 0,
         [](HttpRequest request, Exchange exchange) {
           exchange->Reply(Text(200, request.parameters.at(0) + "|" + request.parsed.Get("q") +
                                         "|" + request.headers.Get("x-one")));
         }},
        {"POST", "/v1/echo", 1000,
         [](HttpRequest request, Exchange exchange) { exchange->Reply(Text(200, request.body)); }},
        {"POST", "/v1/guarded", std::size_t{4} << 20,
         [](HttpRequest request, Exchange exchange) {
           exchange->Reply(Text(200, request.caller + std::to_string(request.body.size())));
         },
         [this](HttpRequest head, HttpRoute::Answer answer) {
           const std::string who = head.headers.Get("Who");
           if (who == "nobody") return;
           // Later, as who has to look somebody up.
           boost::asio::post(io_, [who, answer = std::move(answer)] {
             if (who == "ann") return answer({std::nullopt, who});
             answer({Text(401, "who is that?"), {}});
           });
         }},
        {"GET", "/v1/later/{ms}", 0,
         [this](HttpRequest request, Exchange exchange) {
           auto timer = std::make_shared<boost::asio::steady_timer>(
               io_, std::chrono::milliseconds(std::stoi(request.parameters.at(0))));
           timer->async_wait([timer, exchange](boost::system::error_code) {
             exchange->Reply(Text(200, "later"));
           });
         }},
        {"GET", "/v1/never", 0,
         [this](HttpRequest, Exchange exchange) { held.push_back(std::move(exchange)); }},
        {"GET", "/v1/dropped", 0, [](HttpRequest, Exchange) {}},
        {"GET", "/v1/throws", 0, [](HttpRequest, Exchange) { throw std::runtime_error("a bug"); }},
        {"GET", "/v1/large", 0,
         [](HttpRequest, Exchange exchange) {
           exchange->Reply(Text(200, Bytes(std::size_t{64} << 20, 'x')));
         }},
        {"GET", "/v1/events/{count}", 0,
         [this](HttpRequest request, Exchange exchange) {
           Events(exchange->StartEvents(), 1, std::stoi(request.parameters.at(0)));
         }},
    };
  }

  // So many events, then the end; with 0, one event and then silence.
  void Events(std::shared_ptr<EventSink> sink, int number, int count) {
    sink->Write(FormatEvent("tick", std::to_string(number), "{\"n\":1}"),
                [this, sink, number, count](bool open) {
                  if (!open) {
                    ++gone;
                  } else if (number < count) {
                    Events(sink, number + 1, count);
                  } else if (count == 0) {
                    sinks.push_back(sink);
                  }
                });
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> lives_{
      io_.get_executor()};
  std::unique_ptr<HttpServer> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string Status(const std::string& reply) { return reply.substr(0, reply.find('\r')); }

}  // namespace

TEST_CASE("http server: which route a method and a path mean", "[net]") {
  const std::vector<HttpRoute> routes = {{"GET", "/v1/actions", 0, nullptr},
                                         {"POST", "/v1/actions", 0, nullptr},
                                         {"GET", "/v1/actions/{id}", 0, nullptr},
                                         {"GET", "/v1/actions/{id}/events/{n}", 0, nullptr}};
  std::vector<std::string> parameters;
  bool known = false;
  const auto match = [&](const char* method, const char* path) {
    parameters.clear();
    const HttpRoute* route = MatchRoute(routes, method, path, &parameters, &known);
    return route == nullptr ? -1 : static_cast<int>(route - routes.data());
  };
  CHECK(match("GET", "/v1/actions") == 0);
  CHECK(match("POST", "/v1/actions") == 1);
  CHECK(match("GET", "/v1/actions/a%2Fb") == 2);
  CHECK(parameters == std::vector<std::string>{"a/b"});
  CHECK(match("GET", "/v1/actions/x/events/7") == 3);
  CHECK(parameters == std::vector<std::string>{"x", "7"});

  CHECK(match("DELETE", "/v1/actions") == -1);
  CHECK(known);
  for (const char* path : {"/v1/actions/", "/v1/actions//events/7", "/v1", "/", "v1/actions",
                           "/v1/actions/x/events", "/v1/actions/%zz", "/V1/actions"}) {
    CAPTURE(path);
    CHECK(match("GET", path) == -1);
    CHECK_FALSE(known);
  }
}

TEST_CASE("http server: what it writes as an event is read as that event", "[net]") {
  SseParser parser;
  const auto events =
      parser.Feed(FormatEvent("part", "17", "{\"a\":1}") + FormatEvent("end", "", "{}"));
  REQUIRE(events);
  REQUIRE(events->size() == 2);
  CHECK((*events)[0].event == "part");
  CHECK((*events)[0].id == "17");
  CHECK((*events)[0].data == "{\"a\":1}");
  CHECK((*events)[1].event == "end");
}

TEST_CASE("http server: a handler gets the whole request, and its answer arrives", "[net]") {
  TestServer server;
  HttpClient client(server.Client());
  HttpCall call;
  call.target = "/v1/echo/a%20b?q=%C3%A4";
  call.headers = {{"X-One", "1"}};
  const auto reply = client.Call(call);
  REQUIRE(reply);
  CHECK(reply->status == 200);
  CHECK(reply->body == "a b|\xC3\xA4|1");
  call = {"POST", "/v1/echo", {}, Bytes(1000, 'x')};
  CHECK(client.Call(call)->body == Bytes(1000, 'x'));
  call = {"PUT", "/v1/echo", {}, ""};
  CHECK(client.Call(call)->status == 405);
  call = {"GET", "/v1/other", {}, ""};
  CHECK(client.Call(call)->status == 404);
}

TEST_CASE("http server: requests sent ahead are answered in their order", "[net]") {
  TestServer server;
  TlsClientSocket client(server.port());
  REQUIRE(
      client.Write("GET /v1/later/30 HTTP/1.1\r\nHost: h\r\n\r\n"
                   "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"
                   "GET /v1/echo/last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  CHECK(client.ReadReply().ends_with("\r\n\r\nlater"));
  CHECK(client.ReadReply().ends_with("\r\n\r\nfirst"));
  CHECK(client.ReadReply().ends_with("\r\n\r\nlast||"));
  CHECK(client.ReadAll().empty());
}

TEST_CASE("http server: what is above its bounds is refused with a status", "[net]") {
  TestServer server;
  const auto ask = [&](const std::string& request) {
    TlsClientSocket client(server.port());
    client.Write(request);
    return Status(client.ReadAll());
  };
  const std::string get = "GET /v1/echo/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
  CHECK(ask(get + "\r\n") == "HTTP/1.1 200 OK");
  CHECK(ask(get + "X: " + std::string(17 * 1024, 'x') + "\r\n\r\n").find(" 431 ") !=
        std::string::npos);
  std::string many = get;
  for (int i = 0; i < 4000; ++i) many += "A: b\r\n";
  CHECK(ask(many + "\r\n").find(" 431 ") != std::string::npos);

  const std::string post = "POST /v1/echo HTTP/1.1\r\nHost: h\r\n";
  CHECK(ask(post + "Content-Length: 1001\r\n\r\n" + std::string(1001, 'x')).find(" 413 ") !=
        std::string::npos);
  CHECK(ask(post + "Content-Length: 99999999999\r\n\r\n").find(" 413 ") != std::string::npos);
  CHECK(ask(post + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x') +
            "\r\n0\r\n\r\n")
            .find(" 413 ") != std::string::npos);
  // The refusal arrives although the client goes on sending.
  CHECK(ask(post + "Content-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x')).find(" 413 ") !=
        std::string::npos);
  CHECK(server.Lives());
}

TEST_CASE("http server: what is not HTTP is told so, and the next client is served", "[net]") {
  TestServer server([](HttpServerOptions& o) { o.read_deadline = 300ms; });
  const std::string post = "POST /v1/echo HTTP/1.1\r\nHost: h\r\n";
  const std::string bodies_of_two_lengths =
      post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!";
  const std::vector<std::string> wrong = {
      "\r\n\r\n\r\n",
      "hello\r\n\r\n",
      "GET\r\n\r\n",
      "GET  /v1/echo/x HTTP/1.1\r\n\r\n",
      "GET /v1/echo/x HTTP/9.9\r\n\r\n",
      "GET /v1/echo/x\r\n\r\n",
      "GET /v1/echo/x HTTP/1.1\r\nNo colon\r\n\r\n",
      "GET /v1/echo/x HTTP/1.1\r\nBad name: x\r\n\r\n",
      std::string("GET /v1/echo/x HTTP/1.1\r\nX: a\0b\r\n\r\n", 35),
      "GET http://elsewhere/ HTTP/1.1\r\nHost: h\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /v1/echo/x?q=%zz HTTP/1.1\r\nHost: h\r\n\r\n",
      bodies_of_two_lengths,
      post + "Content-Length: -1\r\n\r\n",
      post + "Content-Length: 5x\r\n\r\nhello",
      post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
      std::string(300, '\xff'),
  };
  for (const std::string& request : wrong) {
    CAPTURE(request);
    TlsClientSocket client(server.port());
    client.Write(request);
    const std::string reply = client.ReadAll();  // ends: the connection is closed
    CHECK(reply.find(" 200 ") == std::string::npos);
    CHECK(Status(reply).find(" 400 ") != std::string::npos);
  }
  CHECK(server.Lives());
}

TEST_CASE("http server: a request that dribbles in is cut off, head and body alike", "[net]") {
  TestServer server([](HttpServerOptions& o) {
    o.read_deadline = 200ms;
    o.idle_deadline = 200ms;
  });
  const auto dribble = [&](const std::string& before) {
    TlsClientSocket client(server.port());
    client.Write(before);
    const auto started = std::chrono::steady_clock::now();
    // A byte every 20 ms, until the server hangs up: each alone would be in time.
    pollfd hung_up{.fd = client.socket().native_handle(), .events = POLLRDHUP, .revents = 0};
    while (std::chrono::steady_clock::now() - started < 10s) {
      if (poll(&hung_up, 1, 20) != 0 || !client.Write("x")) break;
    }
    return std::chrono::steady_clock::now() - started;
  };
  const auto in_time = [](auto took) { return took > 100ms && took < 5s; };
  CHECK(in_time(dribble("")));
  CHECK(in_time(dribble("GET /v1/echo/x HTTP/1.1\r\nX: ")));
  CHECK(in_time(dribble("POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n")));
  CHECK(server.AwaitConnections(0));
}

TEST_CASE("http server: a client that says nothing is cut off, before and after a request",
          "[net]") {
  TestServer server([](HttpServerOptions& o) {
    o.read_deadline = 100ms;
    o.idle_deadline = 100ms;
  });
  TlsClientSocket silent(server.port());
  CHECK(silent.ReadAll().empty());
  TlsClientSocket idle(server.port());
  idle.Write("GET /v1/echo/x HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(idle.ReadAll().ends_with("\r\n\r\nx||"));
  boost::asio::io_context io;  // not even a handshake
  boost::asio::ip::tcp::socket bare(io);
  bare.connect({boost::asio::ip::address_v4::loopback(), server.port()});
  char byte;
  boost::system::error_code end;
  bare.read_some(boost::asio::buffer(&byte, 1), end);
  CHECK(end);
  CHECK(server.AwaitConnections(0));
}

TEST_CASE("http server: plain HTTP on its port gets nothing, and harms nobody", "[net]") {
  TestServer server;
  boost::asio::io_context io;
  boost::asio::ip::tcp::socket plain(io);
  plain.connect({boost::asio::ip::address_v4::loopback(), server.port()});
  boost::asio::write(plain, boost::asio::buffer(std::string("GET / HTTP/1.1\r\n\r\n")));
  std::string heard;
  char chunk[512];
  boost::system::error_code end;
  while (!end) {
    const std::size_t got = plain.read_some(boost::asio::buffer(chunk), end);
    heard.append(chunk, got);
  }
  CHECK(heard.find("HTTP/1") == std::string::npos);
  CHECK(server.Lives());
}

TEST_CASE("http server: a handler that is slow, forgetful or broken still leaves an answer",
          "[net]") {
  TestServer server([](HttpServerOptions& o) { o.answer_deadline = 100ms; });
  const auto status = [&](const char* target) {
    HttpCall call;
    call.target = target;
    return HttpClient(server.Client()).Call(call)->status;
  };
  CHECK(status("/v1/never") == 503);
  CHECK(status("/v1/dropped") == 500);
  CHECK(status("/v1/throws") == 500);
  CHECK(server.Lives());
}

TEST_CASE("http server: a client that does not read its answer is cut off", "[net]") {
  TestServer server([](HttpServerOptions& o) { o.write_deadline = 100ms; });
  TlsClientSocket client(server.port());
  client.Write("GET /v1/large HTTP/1.1\r\nHost: h\r\n\r\n");
  client.ReadUntil("\r\n\r\n");
  CHECK(server.AwaitConnections(0));
}

TEST_CASE("http server: more connections than allowed are closed, and room is given again",
          "[net]") {
  TestServer server([](HttpServerOptions& o) { o.max_connections = 2; });
  TlsClientSocket first(server.port());
  auto second = std::make_unique<TlsClientSocket>(server.port());
  REQUIRE(first.connected());
  REQUIRE(second->connected());
  CHECK_FALSE(TlsClientSocket(server.port()).connected());
  second.reset();
  REQUIRE(server.AwaitConnections(1));
  CHECK(server.Lives());
}

TEST_CASE("http server: events arrive one by one, and the stream ends in order", "[net]") {
  TestServer server;
  HttpClient client(server.Client());
  HttpCall call;
  call.target = "/v1/events/300";
  std::vector<std::string> ids;
  const auto ended = client.Stream(call, [&](const SseEvent& event) {
    ids.push_back(event.id);
    return event.event == "tick";
  });
  REQUIRE(ended);
  CHECK(ended->headers.Get("content-type") == "text/event-stream");
  REQUIRE(ids.size() == 300);
  CHECK(ids.back() == "300");
  CHECK(server.AwaitConnections(0));
}

TEST_CASE("http server: a listener that goes away is noticed without writing to it", "[net]") {
  TestServer server;
  {
    TlsClientSocket client(server.port());
    client.Write("GET /v1/events/0 HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(client.ReadUntil("\n\n").find("event: tick") != std::string::npos);
    client.Close();
  }
  REQUIRE(server.AwaitConnections(0));
  CHECK(server.Run([&] {
    REQUIRE(server.sinks.size() == 1);
    return server.sinks[0]->open();
  }) == false);
  server.Run([&] {
    server.sinks[0]->Write("data: late\n\n", [&](bool open) { server.gone += open ? 100 : 1; });
  });
  CHECK(server.Run([&] { return server.gone; }) == 1);
}

TEST_CASE("http server: a listener that does not read holds up nothing but itself", "[net]") {
  TestServer server([](HttpServerOptions& o) { o.write_deadline = 200ms; });
  TlsClientSocket deaf(server.port());
  deaf.Write("GET /v1/events/100000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(server.Lives());
  CHECK(server.AwaitConnections(0));
  CHECK(server.Run([&] { return server.gone; }) == 1);
}

TEST_CASE("http server: stopping answers what is under way and takes nothing new", "[net]") {
  TestServer server;
  TlsClientSocket busy(server.port()), idle(server.port());
  idle.Write("GET /v1/echo/x HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(idle.ReadReply().ends_with("x||"));
  busy.Write("GET /v1/later/100 HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(server.AwaitConnections(2));
  // The request must have arrived before the server stops.
  TlsClientSocket probe(server.port());
  probe.Write("GET /v1/later/50 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  probe.ReadAll();
  server.Run([&] { server.server().Stop(); });
  CHECK(busy.ReadAll().ends_with("later"));
  CHECK(idle.ReadAll().empty());
  CHECK_FALSE(TlsClientSocket(server.port()).connected());
  CHECK(server.AwaitConnections(0));
}

TEST_CASE("http server: a new certificate is used for new connections, a bad one never", "[net]") {
  TestServer server;
  const auto serial = [&] {
    TlsClientSocket client(server.port());
    X509* const certificate = SSL_get1_peer_certificate(client.ssl());
    REQUIRE(certificate != nullptr);
    const long number = static_cast<long>(X509_subject_name_hash(certificate) ^
                                          X509_issuer_and_serial_hash(certificate));
    X509_free(certificate);
    return number;
  };
  const long before = serial();
  namespace fs = std::filesystem;
  const auto put = [&](const std::string& from, const std::string& to) {
    fs::copy_file(server.certificates.File(from), server.certificates.File(to),
                  fs::copy_options::overwrite_existing);
  };
  put("elsewhere.key", "server.key");  // does not belong to the certificate
  CHECK_FALSE(server.Run([&] { return server.server().ReloadCertificate(); }));
  CHECK(serial() == before);
  put("elsewhere.crt", "server.crt");
  CHECK(server.Run([&] { return server.server().ReloadCertificate(); }));
  CHECK(serial() != before);
}

// What a server without TLS answers to these bytes, up to the end of the connection.
std::string AskPlain(std::uint16_t port, std::string_view request) {
  using boost::asio::ip::tcp;
  boost::asio::io_context io;
  tcp::socket socket(io);
  socket.connect(tcp::endpoint(boost::asio::ip::address_v4::loopback(), port));
  boost::system::error_code end;
  boost::asio::write(socket, boost::asio::buffer(request), end);
  std::string answer;
  boost::asio::read(socket, boost::asio::dynamic_buffer(answer), end);
  return answer;
}

TEST_CASE("http server: without a certificate it speaks plain HTTP", "[net]") {
  TestServer server([](HttpServerOptions& options) {
    options.certificate_file.clear();
    options.key_file.clear();
  });
  const std::string answer =
      AskPlain(server.port(), "GET /v1/echo/you HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.find("you|") != std::string::npos);
  // What is meant for a server with TLS gets no further than the head.
  const std::string hello("\x16\x03\x01\x00\x02\x01\x00\r\n\r\n", 11);
  CHECK(AskPlain(server.port(), hello).starts_with("HTTP/1.1 400 "));
}

TEST_CASE("http server: who is not let in is told so before a body is read", "[net]") {
  TestServer server;
  TlsClientSocket stranger(server.port());
  REQUIRE(stranger.connected());
  // Announced and never sent: a server that waited for it would not answer.
  stranger.Write("POST /v1/guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
  const std::string reply = stranger.ReadAll();
  CHECK(Status(reply) == "HTTP/1.1 401 Unauthorized");
  CHECK(reply.find("Connection: close\r\n") != std::string::npos);
  CHECK(reply.find("100 Continue") == std::string::npos);

  TlsClientSocket chunked(server.port());
  chunked.Write("POST /v1/guarded HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(Status(chunked.ReadAll()) == "HTTP/1.1 401 Unauthorized");

  // Nothing was left unread, so the same connection is good for another try.
  TlsClientSocket bare(server.port());
  bare.Write("POST /v1/guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  CHECK(Status(bare.ReadReply()) == "HTTP/1.1 401 Unauthorized");
  bare.Write("POST /v1/guarded HTTP/1.1\r\nHost: x\r\nWho: ann\r\nContent-Length: 2\r\n\r\nxx");
  const std::string let_in = bare.ReadReply();
  CHECK(Status(let_in) == "HTTP/1.1 200 OK");
  CHECK(let_in.ends_with("ann2"));
}

TEST_CASE("http server: an admission that never comes is answered 503", "[net]") {
  TestServer server([](HttpServerOptions& options) { options.answer_deadline = 50ms; });
  TlsClientSocket client(server.port());
  client.Write("POST /v1/guarded HTTP/1.1\r\nHost: x\r\nWho: nobody\r\nContent-Length: 9\r\n\r\n");
  CHECK(Status(client.ReadAll()) == "HTTP/1.1 503 Service Unavailable");
  CHECK(server.Lives());
}

TEST_CASE("http server: a trailer adds nothing to the fields that admission saw", "[net]") {
  TestServer server;
  TlsClientSocket client(server.port());
  client.Write(
      "POST /v1/guarded HTTP/1.1\r\nHost: x\r\nWho: ann\r\nTransfer-Encoding: chunked\r\n"
      "Trailer: Who\r\n\r\n1\r\nx\r\n0\r\nWho: bob\r\n\r\n");
  CHECK(client.ReadReply().ends_with("ann1"));
}

TEST_CASE("http client: a large body is kept back until the server wants it", "[net]") {
  TestServer server;
  HttpClient client(server.Client());
  HttpCall call{"POST", "/v1/guarded", {}, Bytes(std::size_t{4} << 20, 'x')};
  // Twice: a connection whose server waits for a body would not be good for another request.
  for (int turn = 0; turn < 2; ++turn) {
    const auto refused = client.Call(call);
    REQUIRE(refused);
    CHECK(refused->status == 401);
  }
  call.headers = {{"Who", "ann"}};
  for (int turn = 0; turn < 2; ++turn) {
    const auto taken = client.Call(call);
    REQUIRE(taken);
    CHECK(taken->body == "ann4194304");
  }
}

TEST_CASE("http server: without a certificate nobody else's machine can reach it", "[net]") {
  boost::asio::io_context io;
  for (const char* listen : {"0.0.0.0:0", "[::]:0"}) {
    HttpServerOptions options;
    options.listen = listen;
    const auto server = HttpServer::Start(io, std::move(options), {});
    REQUIRE_FALSE(server);
    CHECK(server.error().code() == Errc::kDenied);
  }
}

}  // namespace mig
