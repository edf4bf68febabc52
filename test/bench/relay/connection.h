// One client of a broker under load: MQTT 3.1.1 over a non-blocking socket, plain or TLS. It
// acknowledges by itself and counts what comes; what it is told to send leaves at the end of the
// loop's turn (test/bench/relay/load.h). Cheap on purpose: client and broker share the machine.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mqtt/codec.h"
#include "test/bench/relay/certificates.h"
#include "util/bytes.h"

namespace mig::bench {

class Load;

struct ConnectionOptions {
  std::size_t number = 0;  // names the client: ClientName(number), unless `name` is set
  std::string name;
  bool keep_session = false;
  std::uint16_t keep_alive_seconds = 0;  // 0: none
};

class Connection {
 public:
  // Begins to connect. Belongs to the load, which outlives it. `certificates` null: plain.
  Connection(Load& load, const ConnectionOptions& options, std::uint16_t port,
             const Certificates* certificates);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Subscribe(std::string_view filter, mqtt::Qos qos);
  void Publish(std::string_view topic, BytesView payload, mqtt::Qos qos);
  void Ping();

  // Stops to read, as a client that hangs.
  void Hang();

  std::size_t number() const { return number_; }
  bool is_open() const { return state_ != State::kClosed; }
  bool session_present() const { return session_present_; }
  unsigned granted() const { return granted_; }  // by the last SUBACK: QoS, or 128
  bool resumed_tls() const;

  // What came so far.
  std::uint32_t connacks = 0;
  std::uint32_t subacks = 0;
  std::uint32_t acknowledged = 0;  // own publishes that are done: PUBACK or PUBCOMP
  std::uint32_t received = 0;      // PUBLISH

 private:
  friend class Load;
  enum class State : std::uint8_t { kConnecting, kHandshake, kOpen, kClosed };
  struct FreeTls {
    void operator()(SSL* tls) const {
      // Otherwise OpenSSL takes the end without a farewell for a reason to spoil the ticket.
      SSL_set_shutdown(tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      SSL_free(tls);
    }
  };

  void OnReady(std::uint32_t events);
  void Handshake();
  void ReadAll();
  std::size_t Parse(BytesView bytes);
  void OnPacket(const mqtt::FixedHeader& header, BytesView packet);
  void OnPublish(const mqtt::FixedHeader& header, BytesView packet);
  void QueueAck(unsigned char first, std::uint16_t id);
  void Queue(const mqtt::Packet& packet);
  void Flush();
  void Close();
  std::uint16_t NextId();

  Load& load_;
  std::size_t number_;
  int fd_ = -1;
  State state_ = State::kConnecting;
  bool session_present_ = false;
  std::uint8_t granted_ = 0;
  bool hangs_ = false;
  bool dirty_ = false;
  bool waits_write_ = false;
  std::uint16_t last_id_ = 0;
  std::unique_ptr<SSL, FreeTls> tls_;
  Bytes in_;   // the beginning of a packet
  Bytes out_;  // from sent_ on
  std::size_t sent_ = 0;
};

}  // namespace mig::bench
