// A client for one test of MQTT over WebSocket, on Boost.Beast: says what a test wants said, well
// or badly. Blocking for its user, with a limit on each wait.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <catch2/catch.hpp>
#include <optional>
#include <string>

#include "mqtt/codec.h"
#include "mqtt_client.h"

namespace mig {

// `Lower`: a TCP socket, or TLS over one.
template <typename Lower>
class BasicWebSocketClient {
 public:
  using Tcp = boost::asio::ip::tcp;
  using Error = boost::system::error_code;

  explicit BasicWebSocketClient(std::uint16_t port) : stream_(io_) { Dial(port); }
  BasicWebSocketClient(std::uint16_t port, boost::asio::ssl::context& context)
      : stream_(io_, context) {
    Dial(port);
  }

  // True when the server has agreed; `protocol` empty: none is offered.
  bool Upgrade(const std::string& path = "/mqtt", const std::string& protocol = "mqtt",
               const std::string& origin = "") {
    namespace websocket = boost::beast::websocket;
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.set_option(websocket::stream_base::decorator([=](websocket::request_type& request) {
      using boost::beast::http::field;
      if (!protocol.empty()) request.set(field::sec_websocket_protocol, protocol);
      if (!origin.empty()) request.set(field::origin, origin);
    }));
    Await([&](auto done) { stream_.async_handshake(answer, "127.0.0.1", path, done); });
    return !error;
  }
  auto& lower() { return stream_.next_layer(); }
  auto& stream() { return stream_; }
  void Await(std::function<void(std::function<void(Error)>)> start) {
    bool finished = false;
    start([&](Error outcome) {
      error = outcome;
      finished = true;
    });
    io_.restart();
    io_.run_for(std::chrono::seconds(20));
    if (finished) return;
    boost::beast::get_lowest_layer(stream_).close();  // its handlers must not outlive this call
    io_.restart();
    io_.run();
    FAIL("nothing came for twenty seconds");
  }

  // One frame; a message ends with a frame for which `last` is set.
  void SendFrame(BytesView payload, bool last = true) {
    Await([&](auto done) {
      stream_.async_write_some(last, boost::asio::buffer(payload.data(), payload.size()),
                               [done](Error outcome, std::size_t) { done(outcome); });
    });
  }
  void Send(const mqtt::Packet& packet) { SendFrame(mqtt::Encode(packet, mqtt::Version::k5)); }

  // Nothing: the conversation has ended, see `error` and `close_code`.
  std::optional<mqtt::Packet> Read() {
    for (;;) {
      const auto header = mqtt::ReadFixedHeader(received_);
      REQUIRE(header);
      if (*header && received_.size() >= (*header)->PacketBytes()) {
        const std::size_t size = (*header)->PacketBytes();
        auto packet = mqtt::Decode(BytesView(received_).substr(0, size), mqtt::Version::k5);
        if (!packet) FAIL("the relay sent what does not decode: " << packet.error().message());
        received_.erase(0, size);
        return std::move(*packet);
      }
      char buffer[65536];
      std::size_t got = 0;
      Await([&](auto done) {
        stream_.async_read_some(boost::asio::buffer(buffer), [&got, done](Error e, std::size_t n) {
          got = n;
          done(e);
        });
      });
      if (error) return std::nullopt;
      CHECK(stream_.got_binary());  // [MQTT-6.0.0-1] holds for servers too
      received_.append(buffer, got);
    }
  }
  template <typename T>
  T Next() {
    auto packet = Read();
    if (!packet) FAIL("the relay ended the conversation: " << error.message());
    INFO("packet kind " << packet->index());
    REQUIRE(std::holds_alternative<T>(*packet));
    return std::get<T>(std::move(*packet));
  }
  // Reads to the end; the code of the server's Close, 0 without one.
  int CloseCode() {
    while (Read()) {
    }
    return stream_.reason().code;
  }

  mqtt::ConnAck Connect(const std::string& client_id) {
    mqtt::Connect connect;
    connect.client_id = client_id;
    connect.clean_start = true;
    connect.keep_alive_seconds = 60;
    Send(connect);
    return Next<mqtt::ConnAck>();
  }
  mqtt::Reason Subscribe(const std::string& filter, mqtt::Qos qos = mqtt::Qos::kAtLeastOnce) {
    mqtt::Subscribe subscribe;
    subscribe.packet_id = ++last_id_;
    subscribe.entries = {{filter, {qos}}};
    Send(subscribe);
    return Next<mqtt::SubAck>().reasons.at(0);
  }
  mqtt::Publish MakePublish(const std::string& topic, const Bytes& payload) {
    mqtt::Publish publish;
    publish.topic = topic;
    publish.payload = payload;
    publish.qos = mqtt::Qos::kAtLeastOnce;
    publish.packet_id = ++last_id_;
    return publish;
  }

  Error error;
  boost::beast::websocket::response_type answer;

 private:
  void Dial(std::uint16_t port) {
    boost::beast::get_lowest_layer(stream_).connect(
        {boost::asio::ip::address_v4::loopback(), port});
  }

  boost::asio::io_context io_;
  boost::beast::websocket::stream<Lower, false> stream_;
  Bytes received_;
  std::uint16_t last_id_ = 0;
};

using WebSocketClient = BasicWebSocketClient<boost::asio::ip::tcp::socket>;
using TlsWebSocketClient =
    BasicWebSocketClient<boost::asio::ssl::stream<boost::asio::ip::tcp::socket>>;

}  // namespace mig
