// MQTT over WebSocket: MQTT 5.0 section 6, RFC 6455, on the relay's port, and what hostile clients
// make of it.
#include <sys/socket.h>

#include <boost/asio/read.hpp>
#include <catch2/catch.hpp>

#include "deployment.h"
#include "mqtt_client.h"
#include "running_relay.h"
#include "test/temp_folder.h"
#include "websocket_client.h"

namespace mig {
namespace {

using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using mqtt::Qos;
using mqtt::Reason;

const std::string kUpgrade =
    "GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n";
// RFC 6455 section 1.3 has the sum for that key.
const std::string kAccepted = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

// Everything until the server closes.
std::string ReadAll(const MqttClient& raw) {
  std::string all;
  char chunk[4096];
  for (;;) {
    const ssize_t got = recv(raw.fd(), chunk, sizeof chunk, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) FAIL("nothing for twenty seconds");
    if (got <= 0) return all;
    all.append(chunk, static_cast<std::size_t>(got));
  }
}

std::string Exchange(std::uint16_t port, const std::string& request) {
  MqttClient raw(port);
  raw.SendBytes(request);
  return ReadAll(raw);
}

// The payload after the head of the answer to kUpgrade, in frames of the server's.
std::string Behind(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

// A frame of a client's with a mask of zeros, so that it reads as it is.
std::string Masked(unsigned char first, const std::string& payload) {
  std::string frame{static_cast<char>(first)};
  frame += static_cast<char>(0x80 | payload.size());
  return frame + std::string(4, '\0') + payload;
}

std::string CloseFrame(int code) {
  return {'\x88', '\x02', static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
}

TEST_CASE("websocket: a command goes to a client, and its answer to another over TCP", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  WebSocketClient agent(relay.port());
  REQUIRE(agent.Upgrade());
  CHECK(agent.answer["Sec-WebSocket-Protocol"] == "mqtt");  // [MQTT-6.0.0-4]
  CHECK(agent.Connect("agent").code == 0);
  CHECK(agent.Subscribe("dn") == Reason::kGrantedQos1);
  MqttClient scheduler(relay.port());
  scheduler.Connect("scheduler");
  scheduler.Subscribe("up");
  scheduler.Publish("dn", "do");
  CHECK(scheduler.Next<mqtt::Ack>().reason == Reason::kSuccess);
  const auto command = agent.Next<mqtt::Publish>();
  CHECK(command.payload == "do");
  agent.Send(mqtt::Ack{mqtt::PacketType::kPubAck, command.packet_id, Reason::kSuccess, {}});
  agent.Send(agent.MakePublish("up", "done"));
  CHECK(agent.Next<mqtt::Ack>().reason == Reason::kSuccess);
  CHECK(scheduler.Next<mqtt::Publish>().payload == "done");
  agent.Send(mqtt::PingReq{});
  agent.Next<mqtt::PingResp>();
}

TEST_CASE("websocket: packets and frames need not begin and end together", "[net]") {
  TempFolder folder;  // [MQTT-6.0.0-2]
  RunningRelay relay(folder / "relay.db");
  WebSocketClient client(relay.port());
  REQUIRE(client.Upgrade());
  client.Connect("client");
  client.Subscribe("t");
  Bytes several;
  for (int i = 0; i < 5; ++i) {
    several += mqtt::Encode(client.MakePublish("t", std::to_string(i)), mqtt::Version::k5);
  }
  std::string heard;
  const auto hear = [&] {
    heard.clear();
    for (int i = 0; i < 10; ++i) {  // five messages and five acknowledgements
      auto packet = client.Read();
      REQUIRE(packet);
      if (const auto* publish = std::get_if<mqtt::Publish>(&*packet)) {
        heard += publish->payload;
        client.Send(mqtt::Ack{mqtt::PacketType::kPubAck, publish->packet_id, Reason::kSuccess, {}});
      }
    }
    return heard;
  };
  SECTION("several packets in one frame") {
    client.SendFrame(several);
    CHECK(hear() == "01234");
  }
  SECTION("a frame for each byte") {
    for (const char byte : several) client.SendFrame(Bytes(1, byte));
    CHECK(hear() == "01234");
  }
  SECTION("one message in fragments that cut packets, some of them empty") {
    client.SendFrame(several.substr(0, 3), false);
    client.SendFrame("", false);
    client.SendFrame(several.substr(3, 20), false);
    client.SendFrame(several.substr(23));
    client.SendFrame("");
    CHECK(hear() == "01234");
  }
}

TEST_CASE("websocket: each packet of the relay's is a message of its own", "[net]") {
  // Paho C 1.3.12 looks at what stands behind the first one only when something else comes.
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  WebSocketClient client(relay.port());
  REQUIRE(client.Upgrade());
  client.Connect("client");
  client.Subscribe("t", Qos::kAtMostOnce);
  Bytes burst;
  for (int i = 0; i < 50; ++i) {
    mqtt::Publish publish = client.MakePublish("t", Bytes(static_cast<std::size_t>(i) * 50, 'x'));
    publish.qos = Qos::kAtMostOnce;
    publish.packet_id = 0;
    burst += mqtt::Encode(publish, mqtt::Version::k5);
  }
  client.SendFrame(burst);
  for (int i = 0; i < 50; ++i) {
    boost::beast::flat_buffer message;
    client.Await([&](auto done) {
      client.stream().async_read(message,
                                 [done](boost::system::error_code e, std::size_t) { done(e); });
    });
    REQUIRE_FALSE(client.error);
    const BytesView packet(static_cast<const char*>(message.data().data()), message.size());
    const auto header = mqtt::ReadFixedHeader(packet);
    REQUIRE(header);
    REQUIRE(*header);
    CHECK((*header)->PacketBytes() == packet.size());
  }
}

TEST_CASE("websocket: large messages arrive whole both ways", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  WebSocketClient client(relay.port());
  REQUIRE(client.Upgrade());
  client.Connect("client");
  client.Subscribe("t");
  for (const std::size_t size : {100, 16'380, 16'384, 65'535, 65'536, 200'000, 1'000'000}) {
    const Bytes payload(size, static_cast<char>('a' + size % 26));
    client.Send(client.MakePublish("t", payload));
    for (int i = 0; i < 2; ++i) {
      auto packet = client.Read();
      REQUIRE(packet);
      if (const auto* publish = std::get_if<mqtt::Publish>(&*packet)) {
        CHECK((publish->payload == payload));
        client.Send(mqtt::Ack{mqtt::PacketType::kPubAck, publish->packet_id, Reason::kSuccess, {}});
      }
    }
  }
}

TEST_CASE("websocket: what a client says with its request, or byte by byte, is heard", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.drain_for = 0s;  // this client does not answer Close
  RunningRelay relay(folder / "relay.db", std::move(options));
  const std::string connect("\x10\x0e\0\4MQTT\5\2\0\x3c\0\0\1c", 16);
  const std::string bye("\xe0\0", 2);
  const std::string all = kUpgrade + Masked(0x82, connect) + Masked(0x82, bye);
  std::string answer;
  SECTION("in one piece") { answer = Exchange(relay.port(), all); }
  SECTION("byte by byte") {
    MqttClient raw(relay.port());
    for (const char byte : all) raw.SendBytes(BytesView(&byte, 1));
    shutdown(raw.fd(), SHUT_WR);
    answer = ReadAll(raw);
  }
  CHECK_THAT(answer, StartsWith("HTTP/1.1 101 "));
  CHECK_THAT(answer, Contains(kAccepted));
  CHECK_THAT(Behind(answer), StartsWith("\x82"));  // a message with CONNACK …
  CHECK(Behind(answer).substr(2, 1) == "\x20");
}

TEST_CASE("websocket: a message of text ends the connection", "[net]") {  // [MQTT-6.0.0-1]
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  WebSocketClient client(relay.port());
  REQUIRE(client.Upgrade());
  client.Connect("client");
  client.stream().text(true);
  SECTION("at once, though it goes on") {
    client.SendFrame("not MQTT", false);
    CHECK(client.CloseCode() == 1003);
  }
  SECTION("also one that is not even text") {
    client.Send(mqtt::PingReq{});
    CHECK(client.CloseCode() == 1007);
  }
  CHECK(relay.Do([](MqttServer& server) { return server.connections(); }) <= 1);
}

TEST_CASE("websocket: whoever breaks RFC 6455 is told so and closed", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  const auto told = [&](const std::string& frames) {
    return Behind(Exchange(relay.port(), kUpgrade + frames));
  };
  const std::string ping("\xc0\0", 2);
  CHECK(told("\x82\x02" + ping) == CloseFrame(1002));   // not masked (section 5.1)
  CHECK(told(Masked(0xC2, ping)) == CloseFrame(1002));  // RSV1 without an extension
  CHECK(told(Masked(0x83, ping)) == CloseFrame(1002));  // an opcode that is not one
  CHECK(told(Masked(0x80, ping)) == CloseFrame(1002));  // goes on with nothing
  CHECK(told(Masked(0x02, ping) + Masked(0x82, ping)) == CloseFrame(1002));  // begins twice
  CHECK(told(Masked(0x09, "hm")) == CloseFrame(1002));  // half a ping (section 5.5)
  CHECK(told(std::string("\x89\xfe\0\x80", 4) + std::string(132, 'p')) == CloseFrame(1002));
  CHECK(told(Masked(0x88, "\x03")) == CloseFrame(1002));  // half a code
  CHECK(told(std::string("\x82\xfe\0\x02", 4) + std::string(6, 0)) == CloseFrame(1002));
}

TEST_CASE("websocket: the peer's Close is answered, and its will is sent", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  MqttClient watcher(relay.port());
  watcher.Connect("watcher");
  watcher.Subscribe("will");
  WebSocketClient client(relay.port());
  REQUIRE(client.Upgrade());
  mqtt::Connect connect;
  connect.client_id = "client";
  connect.will = mqtt::Will{"will", "gone", Qos::kAtMostOnce, false, {}};
  client.Send(connect);
  client.Next<mqtt::ConnAck>();
  client.Await([&](auto done) {
    client.stream().async_close(boost::beast::websocket::close_code::going_away, done);
  });
  CHECK_FALSE(client.error);  // only when the relay has said Close too
  CHECK(watcher.Next<mqtt::Publish>().payload == "gone");
}

TEST_CASE("websocket: what the relay ends, it ends with Close", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.limits.packet_bytes = 4096;
  RunningRelay relay(folder / "relay.db", std::move(options));
  WebSocketClient client(relay.port());
  REQUIRE(client.Upgrade());
  client.Connect("client");
  SECTION("after DISCONNECT") {
    client.Send(mqtt::Disconnect{});
    CHECK(client.CloseCode() == 1000);
  }
  SECTION("after a packet that is too large, however it comes in frames") {
    const Bytes packet = mqtt::Encode(client.MakePublish("t", Bytes(5000, 'x')), mqtt::Version::k5);
    client.SendFrame(packet.substr(0, 2500), false);
    CHECK(client.Next<mqtt::Disconnect>().reason == Reason::kPacketTooLarge);
    CHECK(client.CloseCode() == 1000);
  }
  SECTION("when it stops") {
    auto stopping = std::async(std::launch::async, [&] { return relay.Stop(); });
    CHECK(client.Next<mqtt::Disconnect>().reason == Reason::kServerShuttingDown);
    CHECK(client.CloseCode() == 1000);
    CHECK(stopping.get());
  }
}

TEST_CASE("websocket: a ping is answered with what it carried", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  MqttClient raw(relay.port());
  raw.SendBytes(kUpgrade + Masked(0x89, "are you there") + Masked(0x8A, "unasked") +
                Masked(0x88, "\x03\xe8"));
  CHECK(Behind(ReadAll(raw)) ==
        "\x8a\x0d"
        "are you there" +
            CloseFrame(1000));
}

TEST_CASE("websocket: who pings without reading is not read, and cut off", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.stuck_after = 1s;
  options.limits.connect_within = 60s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  MqttClient other(relay.port());
  other.Connect("other");
  MqttClient raw(relay.port());
  const int small = 4096;
  setsockopt(raw.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  raw.SendBytes(kUpgrade);
  std::string pings;
  for (int i = 0; i < 500; ++i) pings += Masked(0x89, std::string(125, 'p'));
  // Until the relay takes no more (the kernel's buffers are some megabytes), then the end.
  std::size_t sent = 0;
  for (;;) {
    const ssize_t more = send(raw.fd(), pings.data(), pings.size(), MSG_NOSIGNAL);
    if (more <= 0) break;
    sent += static_cast<std::size_t>(more);
    REQUIRE(sent < 256U << 20);
  }
  CHECK((errno == EPIPE || errno == ECONNRESET));  // not a time-out of ours
  other.Send(mqtt::PingReq{});
  other.Next<mqtt::PingResp>();
}

TEST_CASE("websocket: a reader that is stuck is cut off, and nobody waits for it", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.stuck_after = 1s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  WebSocketClient stuck(relay.port());
  REQUIRE(stuck.Upgrade());
  stuck.Connect("stuck");
  stuck.Subscribe("t");
  WebSocketClient other(relay.port());
  REQUIRE(other.Upgrade());
  other.Connect("other");
  other.Subscribe("t");
  MqttClient writer(relay.port());
  writer.Connect("writer");
  const Bytes payload(200'000, 'x');
  for (int i = 0; i < 100; ++i) {
    writer.Publish("t", payload, Qos::kAtMostOnce);
    REQUIRE(other.Next<mqtt::Publish>().payload.size() == payload.size());
  }
  while (relay.Do([](MqttServer& server) { return server.connections(); }) == 3) {
    writer.Send(mqtt::PingReq{});
    writer.Next<mqtt::PingResp>();
  }
  CHECK(relay.Do([](MqttServer& server) { return server.counters().dropped_slow; }) > 0);
}

TEST_CASE("websocket: other requests get an answer in words, and the end", "[net]") {
  TempFolder folder;
  RunningRelay relay(folder / "relay.db");
  CHECK_THAT(Exchange(relay.port(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
             StartsWith("HTTP/1.1 404 ") && Contains("MQTT over WebSocket is at /mqtt"));
  CHECK_THAT(Exchange(relay.port(), "GET /mqtt HTTP/1.1\r\nHost: a\r\n\r\n"),
             StartsWith("HTTP/1.1 426 "));
  CHECK_THAT(Exchange(relay.port(), "GET /" + std::string(9000, 'a')), StartsWith("HTTP/1.1 431 "));
  CHECK_THAT(Exchange(relay.port(), "GET nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  WebSocketClient chat(relay.port());
  CHECK_FALSE(chat.Upgrade("/mqtt", "chat"));
  CHECK(chat.answer.result_int() == 400);
  WebSocketClient page(relay.port());
  CHECK_FALSE(page.Upgrade("/mqtt", "mqtt", "https://evil.example"));
  CHECK(page.answer.result_int() == 403);
}

TEST_CASE("websocket: pages of an origin that the configuration names may connect", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.websocket.origins = {"https://console.example.net"};
  RunningRelay relay(folder / "relay.db", std::move(options));
  WebSocketClient page(relay.port());
  REQUIRE(page.Upgrade("/mqtt", "mqtt", "https://console.example.net"));
  CHECK(page.Connect("page").code == 0);
  WebSocketClient other(relay.port());
  CHECK_FALSE(other.Upgrade("/mqtt", "mqtt", "https://console.example.org"));
}

TEST_CASE("websocket: the time to CONNECT is one, from the first byte of the request", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.limits.connect_within = 1s;
  RunningRelay relay(folder / "relay.db", std::move(options));
  // Slow heads and silent WebSockets, all at once.
  MqttClient slow(relay.port());
  slow.SendBytes("GET /mqtt HTTP/1.1\r\nHost:");
  MqttClient one_byte(relay.port());
  one_byte.SendBytes("G");
  WebSocketClient mute(relay.port());
  REQUIRE(mute.Upgrade());
  CHECK_THAT(ReadAll(slow), StartsWith("HTTP/1.1 408 "));
  CHECK_THAT(ReadAll(one_byte), StartsWith("HTTP/1.1 408 "));
  CHECK(mute.CloseCode() == 1000);
}

TEST_CASE("websocket: where it is off, a request is not MQTT and no more", "[net]") {
  TempFolder folder;
  MqttServerOptions options;
  options.websocket.enabled = false;
  RunningRelay relay(folder / "relay.db", std::move(options));
  CHECK(Exchange(relay.port(), kUpgrade).empty());
  MqttClient client(relay.port());
  CHECK(client.Connect("client").code == 0);
}

// A TLS client that offers protocols (ALPN), as "\4mqtt".
class Offering {
 public:
  Offering(const MqttClient::Tls& tls, const std::string& protocols) {
    context_.load_verify_file(tls.ca_file);
    context_.set_verify_mode(boost::asio::ssl::verify_peer);
    context_.use_certificate_file(tls.certificate_file, boost::asio::ssl::context::pem);
    context_.use_private_key_file(tls.key_file, boost::asio::ssl::context::pem);
    if (!protocols.empty()) {
      SSL_CTX_set_alpn_protos(context_.native_handle(),
                              reinterpret_cast<const unsigned char*>(protocols.data()),
                              static_cast<unsigned>(protocols.size()));
    }
  }
  boost::asio::ssl::context& context() { return context_; }

 private:
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
};

bool Handshake(TlsWebSocketClient& client) {
  client.Await([&](auto done) {
    client.lower().async_handshake(boost::asio::ssl::stream_base::client, done);
  });
  return !client.error;
}

std::string Agreed(TlsWebSocketClient& client) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.lower().native_handle(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

TEST_CASE("websocket over TLS: by ALPN, and without it by what the client says", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto tls = d.Issue(d.agents_ca, "agent", "a1");
  const std::string http = "\x08http/1.1";
  for (const std::string& protocols : {http, std::string(), "\2h2" + http}) {
    Offering offering(tls, protocols);
    TlsWebSocketClient agent(relay.port(), offering.context());
    REQUIRE(Handshake(agent));
    CHECK(Agreed(agent) == (protocols.empty() ? "" : "http/1.1"));
    REQUIRE(agent.Upgrade());
    CHECK(agent.Connect("a1").code == 0);
    CHECK(agent.Subscribe("mig/v1/dn/a1/#") == Reason::kGrantedQos1);
    CHECK(agent.Subscribe("mig/v1/dn/a2/#") == Reason::kNotAuthorized);
    MqttClient scheduler(relay.port(), d.Issue(d.servers_ca, "scheduler", "s1"));
    scheduler.Connect("s1");
    scheduler.Publish("mig/v1/dn/a1/cmd", Bytes(300'000, 'c'));
    CHECK(agent.Next<mqtt::Publish>().payload.size() == 300'000);
  }
}

TEST_CASE("websocket over TLS: it opens nothing that the certificate does not", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  Offering mallory(d.Issue(d.agents_ca, "agent", "mallory"), "\x08http/1.1");
  TlsWebSocketClient client(relay.port(), mallory.context());
  REQUIRE(Handshake(client));
  REQUIRE(client.Upgrade());
  CHECK(client.Connect("a1").code == 0x87);
  CHECK(client.CloseCode() == 1000);
}

TEST_CASE("websocket over TLS: who agrees on one protocol does not get the other", "[net]") {
  Deployment d;
  RunningRelay relay(d.folder / "relay.db", d.Options(), &d.rights);
  const auto tls = d.Issue(d.agents_ca, "agent", "a1");
  Offering mqtt(tls, "\x04mqtt\x08http/1.1");
  TlsWebSocketClient http_over_mqtt(relay.port(), mqtt.context());
  REQUIRE(Handshake(http_over_mqtt));
  CHECK(Agreed(http_over_mqtt) == "mqtt");
  CHECK_FALSE(http_over_mqtt.Upgrade());

  Offering http(tls, "\x08http/1.1");
  TlsWebSocketClient mqtt_over_http(relay.port(), http.context());
  REQUIRE(Handshake(mqtt_over_http));
  mqtt::Connect connect;
  connect.client_id = "a1";
  const Bytes packet = mqtt::Encode(connect, mqtt::Version::k5) + "\r\n\r\n";
  mqtt_over_http.Await([&](auto done) {
    boost::asio::async_write(mqtt_over_http.lower(), boost::asio::buffer(packet),
                             [done](boost::system::error_code e, std::size_t) { done(e); });
  });
  std::string answer;
  mqtt_over_http.Await([&](auto done) {
    boost::asio::async_read(mqtt_over_http.lower(), boost::asio::dynamic_buffer(answer),
                            [done](boost::system::error_code e, std::size_t) { done(e); });
  });
  CHECK_THAT(answer, StartsWith("HTTP/1.1 400 "));

  Offering neither(tls, "\2h2\7foo/1.0");
  TlsWebSocketClient stranger(relay.port(), neither.context());
  CHECK_FALSE(Handshake(stranger));  // RFC 7301 section 3.2
}

TEST_CASE("websocket over TLS: where it is off, ALPN does not offer it", "[net]") {
  Deployment d;
  auto options = d.Options();
  options.websocket.enabled = false;
  RunningRelay relay(d.folder / "relay.db", std::move(options), &d.rights);
  Offering http(d.Issue(d.agents_ca, "agent", "a1"), "\x08http/1.1");
  TlsWebSocketClient client(relay.port(), http.context());
  CHECK_FALSE(Handshake(client));
}

}  // namespace
}  // namespace mig
