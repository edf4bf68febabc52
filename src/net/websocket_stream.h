// MQTT over WebSocket (MQTT 5.0 section 6, RFC 6455), the server's part, on top of the bytes of an
// accepted connection: the upgrade, binary messages in and out, ping and pong, the closing
// handshake. Boost.Beast knows the protocol; here it has no socket and never waits.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "net/link_stream.h"

namespace mig {

// What all WebSockets of a server share: room to work in, and an event loop of Beast's own that
// runs inside calls only. Must outlive its streams; one thread.
class WebSocketEngine {
 public:
  // `origins`: "https://console.example.net", whose pages may connect from a browser. `tls`: what
  // is below is encrypted.
  WebSocketEngine(std::vector<std::string> origins, bool tls);
  ~WebSocketEngine();

 private:
  friend class WebSocketStream;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class WebSocketStream final : public LinkStream {
 public:
  // A frame of ours is not larger, so that with its head it fills one record of TLS.
  static constexpr std::size_t kMaxFrameBytes = 16 * 1024 - 4;
  // What is taken at once from below.
  static constexpr std::size_t kReadBytes = 16 * 1024;

  // `below` and `engine` must outlive the stream. `early`: what was read from `below` already.
  WebSocketStream(LinkStream& below, WebSocketEngine& engine, BytesView early);
  ~WebSocketStream() override;

  // Payload only. Messages are not put together, so their length is nothing to be bounded: MQTT
  // packets are not aligned with them [MQTT-6.0.0-2], and bounded by the broker. kWantWrite: the
  // peer does not take what it asked for (pongs), and nothing more of it is read until it does.
  // Requires: room for kReadBytes, and for what came early.
  Result Read(std::span<char> buffer) override;
  // `pieces`: MQTT packets. Each goes out as a message, a large one as several.
  Result Write(std::span<const iovec> pieces, Bytes& scratch) override;
  bool HasBuffered() const override;
  // Sends Close, after which Read goes on until the peer's own (kClosed).
  State EndSending() override;
  std::string problem() const override { return problem_; }

 private:
  struct Socket;
  enum class Phase {
    kUpgrading,
    kOpen,
    kBroken,   // what is to be said about it is in the outbox
    kClosing,  // our Close is said, or in the outbox
    kEnded,    // nothing the peer says matters any more
    kClosed,   // both have said Close, or the peer has gone
  };

  Bytes& Outbox();
  State FlushOutbox();
  State TakeUpgrade();
  State Refuse(std::string problem, Bytes answer);
  State Accept(BytesView head);
  std::size_t Decode(BytesView raw, std::span<char> buffer);
  bool FillOutbox(std::span<const iovec> pieces);
  void StartRead();
  void OnMessage(std::size_t bytes);
  void BeginClose(int code);

  LinkStream& below_;
  WebSocketEngine::Impl& engine_;
  std::unique_ptr<Socket> socket_;  // from the upgrade on
  Phase phase_ = Phase::kUpgrading;
  Bytes early_;                  // the request as far as it has come; then what came behind it
  std::size_t searched_ = 0;     // of early_, for the end of the request
  Bytes refusal_;                // the outbox while there is no socket
  std::size_t sending_ = 0;      // bytes of the owner's in the outbox
  std::size_t packet_left_ = 0;  // of the owner's packet: what is not in the outbox yet
  std::span<char> room_;         // while decoding: where payload goes
  std::string problem_;
};

}  // namespace mig
