// The ways to relay and API through an HTTP proxy and over WebSocket, with proxies as they are met.
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "net/http_client.h"
#include "net/proxy_tunnel.h"
#include "test/net/connect_proxy.h"
#include "test/net/link_peer.h"
#include "test/net/link_relay.h"
#include "test/net/scripted_server.h"

namespace mig {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Manners = ConnectProxy::Manners;

LinkOptions Through(const ConnectProxy& proxy, LinkOptions options, const std::string& who = "") {
  options.proxy = ProxyChoice(*ParseProxy(proxy.Url(who)));
  return options;
}

TEST_CASE("mqtt link: over WebSocket with TLS, with messages of every size", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkOptions options = Towards(relay, certificates);
  options.websocket = true;
  LinkPeer peer(io, options);
  peer.link->Subscribe({"a/#"});
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  std::size_t count = 0;
  for (const std::size_t size : {1, 100, 1400, 16'000, 65'600, 300'000}) {
    CHECK(peer.Publish("a/b", Bytes(size, 'x')).value().has_value());
    ++count;
    REQUIRE(RunUntil(io, [&] { return peer.messages.size() == count; }));
    CHECK(peer.messages.back().size() == size + 4);
  }
  bool stopped = false;
  peer.link->Stop([&] { stopped = true; });
  CHECK(RunUntil(io, [&] { return stopped; }));
}

TEST_CASE("mqtt link: over WebSocket nothing of a burst stays behind", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  LinkOptions options = Towards(relay, certificates);
  options.websocket = true;
  LinkPeer peer(io, options);
  peer.link->Subscribe({"a"});
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  int acknowledged = 0;
  for (int i = 0; i < 256; ++i) {
    peer.link->Publish("a", std::to_string(i), i % 2, 60s, false,
                       [&](Expected<void> result) { acknowledged += result ? 1 : 0; });
  }
  REQUIRE(RunUntil(io, [&] { return acknowledged == 256 && peer.messages.size() == 256; }));
}

TEST_CASE("mqtt link: through a proxy, as MQTT and over WebSocket", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  const bool websocket = GENERATE(false, true);
  const bool login = GENERATE(false, true);
  ConnectProxy proxy(login ? Manners{.user = "user", .password = "p@:ss"} : Manners{});
  LinkOptions options = Through(proxy, Towards(relay, certificates), login ? "user:p%40%3Ass" : "");
  options.websocket = websocket;
  LinkPeer peer(io, options);
  peer.link->Subscribe({"a/#"});
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  CHECK(peer.Publish("a/b", Bytes(200'000, 'x')).value().has_value());
  REQUIRE(RunUntil(io, [&] { return !peer.messages.empty(); }));
  CHECK(peer.messages.back().size() == 200'004);
  REQUIRE(proxy.requests().size() == 1);
  CHECK_THAT(
      proxy.requests()[0],
      StartsWith("CONNECT 127.0.0.1:" + std::to_string(relay.server->port()) + " HTTP/1.1\r\n"));
  CHECK(proxy.carried() > 400'000);
  CHECK(relay.server->connections() == 1);
}

TEST_CASE("mqtt link: a proxy that does not let it through is named, with what to do", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  const auto told = [&](Manners manners, const std::string& who = "") {
    ConnectProxy proxy(std::move(manners));
    LinkOptions options = Through(proxy, Towards(relay, certificates), who);
    options.connect_timeout = 1s;
    LinkPeer peer(io, options);
    peer.link->Start();
    CHECK(RunUntil(io, [&] { return peer.failures >= 2; }));
    CHECK(peer.connects == 0);
    CHECK_THAT(peer.last_failure,
               Contains("the proxy " + proxy.Url()) && Contains("relay 127.0.0.1:"));
    return peer.last_failure;
  };
  const Manners locked{.user = "user", .password = "secret"};
  CHECK_THAT(told(locked), Contains("wants a user and a password (407)"));
  CHECK_THAT(told(locked, "user:wrong"), Contains("does not accept the password of user `user`"));
  CHECK_THAT(told({.says = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"}),
             Contains("does not allow connections to 127.0.0.1:"));
  CHECK_THAT(told({.says = "SSH-2.0-OpenSSH_9.2\r\n"}),
             Contains("does not answer as an HTTP proxy"));
  CHECK_THAT(told({.says = "HTTP/1.1 200 OK\r\n\r\n<html>"}), Contains("says more than that"));
  CHECK_THAT(told({.says = "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x')}),
             Contains("does not answer as an HTTP proxy"));
  CHECK_THAT(told({.hangs = true}), Contains("does not answer in time"));
  CHECK_THAT(told({.closes = true}), Contains("closed the connection before it answered"));
}

TEST_CASE("mqtt link: a proxy that is not there is named", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  std::string url;
  {
    const ConnectProxy proxy;
    url = proxy.Url();
  }
  LinkOptions options = Towards(relay, certificates);
  options.proxy = ProxyChoice(*ParseProxy(url));
  LinkPeer peer(io, options);
  peer.link->Start();
  REQUIRE(RunUntil(io, [&] { return peer.failures > 0; }));
  CHECK_THAT(peer.last_failure, Contains("the proxy " + url + " is not to be reached"));
}

TEST_CASE("mqtt link: a proxy that cuts the connection midway costs a reconnect", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay relay(io, certificates);
  ConnectProxy proxy(Manners{.cuts_after = 100'000});
  LinkPeer peer(io, Through(proxy, Towards(relay, certificates)));
  peer.link->Subscribe({"a/#"});
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  peer.link->Publish("a/b", Bytes(200'000, 'x'), 1, 0s, false, {});
  REQUIRE(RunUntil(io, [&] { return peer.losses == 1 && peer.connects == 2; }));
  CHECK(proxy.requests().size() == 2);
  CHECK(peer.Publish("a/b", "again").value().has_value());
}

TEST_CASE("mqtt link: its relay's end is told through a proxy too", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  auto relay = std::make_unique<Relay>(io, certificates);
  ConnectProxy proxy;
  LinkPeer peer(io, Through(proxy, Towards(*relay, certificates)));
  peer.link->Start();
  REQUIRE(peer.AwaitConnect());
  relay->server.reset();
  REQUIRE(RunUntil(io, [&] { return peer.losses == 1 && peer.failures > 0; }));
  CHECK_THAT(peer.last_failure, Contains("cannot reach 127.0.0.1:") && Contains("502 Bad Gateway"));
}

TEST_CASE("mqtt link: through a proxy the relay's certificate must still be the relay's", "[net]") {
  const Certificates certificates;
  asio::io_context io;
  Relay elsewhere(io, certificates, "elsewhere");
  ConnectProxy proxy;
  LinkPeer peer(io, Through(proxy, Towards(elsewhere, certificates)));
  peer.link->Start();
  REQUIRE(RunUntil(io, [&] { return peer.failures >= 2; }));
  CHECK(peer.connects == 0);
}

TEST_CASE("mqtt link: what it said last before it went arrives through a proxy", "[net]") {
  Certificates certificates;
  certificates.IssueAgent("other", "agent-2");
  asio::io_context io;
  Relay relay(io, certificates);
  LinkOptions watching = Towards(relay, certificates);
  LinkPeer watcher(io, watching);
  watcher.link->Subscribe({"will"});
  watcher.link->Start();
  REQUIRE(watcher.AwaitConnect());
  ConnectProxy proxy;
  LinkOptions options = Through(proxy, Towards(relay, certificates, "other"));
  options.client_id = "agent-2";
  {
    LinkPeer peer(io, options);
    peer.link->SetWill([] { return LinkWill{"will", "gone", 0s}; });
    peer.link->Start();
    REQUIRE(peer.AwaitConnect());
  }
  REQUIRE(RunUntil(io, [&] { return !watcher.messages.empty(); }));
  CHECK(watcher.messages.front() == "will gone");
}

TEST_CASE("proxy tunnel: only who has the secret gets through, and he once", "[net]") {
  asio::io_context io;
  ScriptedServer server([](ScriptedServer::Conversation& c) {
    while (!c.ReadRequest().empty()) c.Write("hello\r\n\r\n");
  });
  ConnectProxy proxy;
  std::string door;
  ProxyTunnel tunnel(io, *ParseHostPort(server.Authority()), *ParseProxy(proxy.Url()), 5s,
                     [&](Expected<std::string> local) { door = local ? *local : "refused"; });
  REQUIRE(RunUntil(io, [&] { return !door.empty(); }));
  const auto own = ParseProxy(door);
  REQUIRE(own);
  CHECK(own->password.size() == 32);
  // What comes back at the door for a request, and the socket it came by.
  asio::io_context mine;
  const auto knock = [&](asio::ip::tcp::socket& socket, const std::string& request) {
    boost::system::error_code error;
    socket.connect({asio::ip::address_v4::loopback(), own->port}, error);
    asio::write(socket, asio::buffer(request), error);
    std::string answer;
    if (!error) asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n", error);
    return answer;
  };
  const std::string wrong = EncodeBase64("mig:" + std::string(32, 'A'));
  const std::string right = EncodeBase64("mig:" + own->password);
  asio::ip::tcp::socket stranger(mine), client(mine), second(mine);
  CHECK(knock(stranger, "CONNECT a:1 HTTP/1.1\r\n\r\n").empty());
  stranger.close();
  CHECK(knock(stranger, "CONNECT a:1 HTTP/1.1\r\nProxy-authorization: Basic " + wrong + "\r\n\r\n")
            .empty());
  CHECK_THAT(
      knock(client, "CONNECT a:1 HTTP/1.1\r\nProxy-authorization: Basic " + right + "\r\n\r\n"),
      StartsWith("HTTP/1.1 200 "));
  CHECK(knock(second, "CONNECT a:1 HTTP/1.1\r\nProxy-authorization: Basic " + right + "\r\n\r\n")
            .empty());
  asio::write(client, asio::buffer(std::string("hi\r\n\r\n")));
  std::string reply;
  asio::read_until(client, asio::dynamic_buffer(reply), "\r\n\r\n");
  CHECK(reply == "hello\r\n\r\n");
}

TEST_CASE("http client: a call goes through the proxy, and TLS from end to end", "[net]") {
  const Certificates certificates;
  ScriptedServer server(
      [](ScriptedServer::Conversation& c) {
        while (!c.ReadRequest().empty())
          c.Write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
      },
      certificates.File("server.crt"), certificates.File("server.key"));
  ConnectProxy proxy(Manners{.user = "user", .password = "secret"});
  HttpClientOptions options;
  options.url = "https://" + server.Authority();
  options.ca_file = certificates.File("servers-ca.crt");
  options.proxy = ProxyChoice(*ParseProxy(proxy.Url("user:secret")));
  HttpClient client(options);
  for (int i = 0; i < 2; ++i) {
    const auto reply = client.Call({});
    if (!reply) FAIL(reply.error().message());
    CHECK(reply->body == "hello");
  }
  REQUIRE(proxy.requests().size() == 1);  // one connection, kept
  CHECK_THAT(proxy.requests()[0], StartsWith("CONNECT " + server.Authority() + " HTTP/1.1\r\n"));
  CHECK_THAT(proxy.requests()[0], !Contains("hello"));

  options.proxy = ProxyChoice(*ParseProxy(proxy.Url("user:wrong")));
  const auto refused = HttpClient(options).Call({});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == Errc::kDenied);
  CHECK_THAT(refused.error().message(), Contains(options.url) &&
                                            Contains("the proxy " + proxy.Url()) &&
                                            Contains("user `user`"));

  ConnectProxy mute(Manners{.hangs = true});
  options.proxy = ProxyChoice(*ParseProxy(mute.Url()));
  options.connect_timeout = 300ms;
  const auto late = HttpClient(options).Call({});
  REQUIRE_FALSE(late);
  CHECK(late.error().code() == Errc::kTimeout);
  CHECK_THAT(late.error().message(), Contains("does not answer in time"));
}

}  // namespace
}  // namespace mig
