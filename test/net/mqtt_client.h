// A client for one test of the relay: blocking, packet by packet, plain or TLS, on our own codec.
// Everything has a deadline.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <optional>
#include <string>

#include "mqtt/codec.h"

namespace mig {

class MqttClient {
 public:
  struct Tls {
    std::string ca_file;
    std::string certificate_file;  // empty: none is shown
    std::string key_file;
    int version = 0;                       // TLS1_2_VERSION, TLS1_3_VERSION; 0: any
    std::shared_ptr<SSL_SESSION> session;  // to be resumed, of Session()
  };

  // `from`: any address of 127.0.0.0/8, each of which is another source to the relay.
  explicit MqttClient(std::uint16_t port, mqtt::Version version = mqtt::Version::k5,
                      std::uint32_t from = INADDR_LOOPBACK)
      : version_(version) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    REQUIRE(fd_ >= 0);
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (from != INADDR_LOOPBACK) {
      address.sin_addr.s_addr = htonl(from);
      REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    }
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  MqttClient(std::uint16_t port, const Tls& tls, mqtt::Version version = mqtt::Version::k5)
      : MqttClient(port, version) {
    StartTls(tls);
  }
  ~MqttClient() { Close(); }
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  void Close() {
    ssl_.reset();
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // False: the server did not want us (with TLS 1.3 that may show only when reading).
  bool handshake_done() const { return handshake_done_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // What this connection may be resumed with. In TLS 1.3 it comes with the first thing that is
  // read.
  std::shared_ptr<SSL_SESSION> Session() const {
    return {SSL_SESSION_dup(SSL_get0_session(ssl_.get())), SSL_SESSION_free};
  }

  void SendBytes(BytesView bytes) {
    while (!bytes.empty()) {
      ssize_t sent = 0;
      if (ssl_) {
        sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      } else {
        sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      }
      if (sent <= 0) return;  // closed: the test sees it when it reads
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void Send(const mqtt::Packet& packet) { SendBytes(mqtt::Encode(packet, version_)); }

  // Nothing: the connection was closed.
  std::optional<mqtt::Packet> Read() {
    for (;;) {
      const auto header = mqtt::ReadFixedHeader(received_);
      REQUIRE(header);
      if (*header && received_.size() >= (*header)->PacketBytes()) {
        const std::size_t size = (*header)->PacketBytes();
        auto packet = mqtt::Decode(BytesView(received_).substr(0, size), version_);
        if (!packet) FAIL("the relay sent what does not decode: " << packet.error().message());
        received_.erase(0, size);
        return std::move(*packet);
      }
      char buffer[65536];
      const ssize_t got =
          ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer) : recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && !ssl_ && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        FAIL("nothing came for twenty seconds");
      }
      if (got <= 0) return std::nullopt;
      received_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  template <typename T>
  T Next() {
    auto packet = Read();
    REQUIRE(packet);
    INFO("packet kind " << packet->index());
    REQUIRE(std::holds_alternative<T>(*packet));
    return std::get<T>(std::move(*packet));
  }
  // True if the server has closed, or something came. Does not wait.
  bool HasNews() const {
    char byte = 0;
    const ssize_t got = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }
  // Reads until the end; true if no packet came before it.
  bool ClosedSilently() { return !Read(); }

  mqtt::ConnAck Connect(const std::string& client_id, bool keep = false) {
    mqtt::Connect connect;
    connect.version = version_;
    connect.client_id = client_id;
    connect.clean_start = !keep;
    connect.keep_alive_seconds = 60;
    if (keep && version_ == mqtt::Version::k5) {
      connect.properties.Add(mqtt::PropertyId::kSessionExpiryInterval, 3600);
    }
    Send(connect);
    return Next<mqtt::ConnAck>();
  }
  mqtt::Reason Subscribe(const std::string& filter) {
    mqtt::Subscribe subscribe;
    subscribe.packet_id = ++last_id_;
    subscribe.entries = {{filter, {mqtt::Qos::kAtLeastOnce}}};
    Send(subscribe);
    return Next<mqtt::SubAck>().reasons.at(0);
  }
  void Publish(const std::string& topic, const Bytes& payload,
               mqtt::Qos qos = mqtt::Qos::kAtLeastOnce) {
    mqtt::Publish publish;
    publish.topic = topic;
    publish.payload = payload;
    publish.qos = qos;
    if (qos != mqtt::Qos::kAtMostOnce) publish.packet_id = ++last_id_;
    Send(publish);
  }
  void PubAck(std::uint16_t id) {
    Send(mqtt::Ack{mqtt::PacketType::kPubAck, id, mqtt::Reason::kSuccess, {}});
  }

  int fd() const { return fd_; }
  // The server's certificate as its common name, after the handshake.
  std::string ServerName() const {
    X509* certificate = SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return {};
    char name[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                              sizeof name);
    return name;
  }

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void StartTls(const Tls& tls) {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL cannot be told MSG_NOSIGNAL, and servers close on us here
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    REQUIRE(SSL_CTX_load_verify_locations(context, tls.ca_file.c_str(), nullptr) == 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (!tls.certificate_file.empty()) {
      REQUIRE(SSL_CTX_use_certificate_file(context, tls.certificate_file.c_str(),
                                           SSL_FILETYPE_PEM) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
    }
    if (tls.version != 0) {
      SSL_CTX_set_min_proto_version(context, tls.version);
      SSL_CTX_set_max_proto_version(context, tls.version);
    }
    ssl_.reset(SSL_new(context));
    SSL_CTX_free(context);
    if (tls.session) REQUIRE(SSL_set_session(ssl_.get(), tls.session.get()) == 1);
    SSL_set_fd(ssl_.get(), fd_);
    handshake_done_ = SSL_connect(ssl_.get()) == 1;
  }

  mqtt::Version version_;
  int fd_ = -1;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  bool handshake_done_ = false;
  Bytes received_;
  std::uint16_t last_id_ = 0;
};

}  // namespace mig
