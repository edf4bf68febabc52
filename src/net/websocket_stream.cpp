#include "net/websocket_stream.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/beast/websocket.hpp>
#include <cassert>
#include <cstring>

#include "mqtt/codec.h"
#include "net/memory_pipe.h"
#include "net/websocket_upgrade.h"

namespace mig {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr std::size_t kFixedHeaderBytes = 5;  // at most
constexpr std::size_t kMaxPieces = 64;        // of a frame; more than fill it come in the next

// How long the packet is that begins in the first piece, `from` bytes behind its beginning.
// (Packets are queued whole; of anything else a little goes out as it is.)
std::size_t PacketBytes(std::span<const iovec> pieces, std::size_t from) {
  Bytes head;
  for (const iovec& piece : pieces) {
    head.append(static_cast<const char*>(piece.iov_base) + from,
                std::min(piece.iov_len - from, kFixedHeaderBytes - head.size()));
    from = 0;
    if (head.size() == kFixedHeaderBytes) break;
  }
  const auto header = mqtt::ReadFixedHeader(head);
  return header && *header ? (*header)->PacketBytes() : head.size();
}

}  // namespace

struct WebSocketEngine::Impl {
  Impl(std::vector<std::string> allowed, bool encrypted)
      : origins(std::move(allowed)), tls(encrypted) {}

  // Everything that can happen without more bytes happens now.
  void Run() {
    loop.restart();
    loop.poll();
  }

  const std::vector<std::string> origins;
  const bool tls;
  asio::io_context loop{1};
  // Both are in use within one call only.
  std::array<char, WebSocketStream::kReadBytes> raw;      // from below
  std::array<char, WebSocketStream::kReadBytes> payload;  // from Beast
};

WebSocketEngine::WebSocketEngine(std::vector<std::string> origins, bool tls)
    : impl_(std::make_unique<Impl>(std::move(origins), tls)) {}

WebSocketEngine::~WebSocketEngine() = default;

struct WebSocketStream::Socket {
  explicit Socket(asio::io_context& loop) : stream(MemoryPipe(loop)) {}
  MemoryPipe& pipe() { return stream.next_layer(); }
  websocket::stream<MemoryPipe, false> stream;  // false: no compression
};

WebSocketStream::WebSocketStream(LinkStream& below, WebSocketEngine& engine, BytesView early)
    : below_(below), engine_(*engine.impl_), early_(early) {}

WebSocketStream::~WebSocketStream() = default;

Bytes& WebSocketStream::Outbox() { return socket_ ? socket_->pipe().output() : refusal_; }

LinkStream::State WebSocketStream::FlushOutbox() {
  Bytes& outbox = Outbox();
  std::size_t sent = 0;
  while (sent < outbox.size()) {
    const iovec piece{outbox.data() + sent, outbox.size() - sent};
    Bytes unused;
    const Result result = below_.Write({&piece, 1}, unused);
    if (result.state != State::kDone) {
      outbox.erase(0, sent);
      return result.state;
    }
    sent += result.bytes;
  }
  outbox = Bytes();  // an idle connection keeps no buffer
  return State::kDone;
}

LinkStream::Result WebSocketStream::Read(std::span<char> buffer) {
  for (;;) {
    if (phase_ == Phase::kBroken) return {State::kBroken};
    if (phase_ == Phase::kClosed) return {State::kClosed};
    if (phase_ == Phase::kEnded) return below_.Read(buffer);
    if (const State state = FlushOutbox(); state != State::kDone) return {state};
    if (phase_ == Phase::kUpgrading) {
      if (const State state = TakeUpgrade(); state != State::kDone) return {state};
      continue;
    }
    const Bytes early = std::exchange(early_, {});
    BytesView raw = early;
    bool more = true;
    if (early.empty()) {
      const Result result = below_.Read(engine_.raw);
      if (result.state != State::kDone) return {result.state};
      raw = BytesView(engine_.raw.data(), result.bytes);
      more = result.more;
    }
    assert(raw.size() <= buffer.size());
    const std::size_t bytes = Decode(raw, buffer);
    const State state = FlushOutbox();  // pongs, or the answer to Close
    if (phase_ == Phase::kClosed) below_.EndSending();
    // After the bytes comes the news that nothing follows them.
    if (bytes > 0) return {State::kDone, bytes, more || HasBuffered() || state != State::kDone};
    if (!more && !HasBuffered()) {
      return {state == State::kDone ? State::kWantRead : state};
    }
  }
}

LinkStream::State WebSocketStream::TakeUpgrade() {
  constexpr BytesView kEnd = "\r\n\r\n";
  for (;;) {
    const std::size_t from = searched_ < kEnd.size() ? 0 : searched_ - kEnd.size() + 1;
    const std::size_t end = early_.find(kEnd, from);
    const std::size_t size = end == Bytes::npos ? early_.size() : end + kEnd.size();
    if (size > kMaxUpgradeBytes) {
      const std::string problem = "the head is longer than " + std::to_string(kMaxUpgradeBytes);
      return Refuse("HTTP 431: " + problem, HttpRefusal(431, problem + " bytes"));
    }
    if (end != Bytes::npos) {
      const Bytes head = early_.substr(0, size);
      early_.erase(0, size);
      return Accept(head);
    }
    searched_ = early_.size();
    const Result result = below_.Read(engine_.raw);
    if (result.state != State::kDone) return result.state;
    early_.append(engine_.raw.data(), result.bytes);
  }
}

LinkStream::State WebSocketStream::Refuse(std::string problem, Bytes answer) {
  problem_ = std::move(problem);
  refusal_ = std::move(answer);
  phase_ = Phase::kBroken;
  return State::kBroken;
}

LinkStream::State WebSocketStream::Accept(BytesView head) {
  Upgrade upgrade = JudgeUpgrade(head, engine_.origins, engine_.tls);
  if (!upgrade.problem.empty()) {
    return Refuse(std::move(upgrade.problem), std::move(upgrade.refusal));
  }
  socket_ = std::make_unique<Socket>(engine_.loop);
  auto& stream = socket_->stream;
  stream.set_option(websocket::stream_base::decorator([](websocket::response_type& answer) {
    answer.set(http::field::server, "mig relay");
    answer.set(http::field::sec_websocket_protocol,  // [MQTT-6.0.0-4]
               beast::string_view(kWebSocketProtocol.data(), kWebSocketProtocol.size()));
  }));
  stream.binary(true);  // [MQTT-6.0.0-1]
  stream.auto_fragment(false);
  stream.read_message_max(0);
  error_code failed;
  stream.async_accept(upgrade.request, [&failed](error_code error) { failed = error; });
  engine_.Run();
  if (failed) {  // Beast has written why into the outbox
    problem_ = "upgrade to WebSocket: " + failed.message();
    phase_ = Phase::kBroken;
    return State::kBroken;
  }
  phase_ = Phase::kOpen;
  StartRead();
  return State::kDone;
}

std::size_t WebSocketStream::Decode(BytesView raw, std::span<char> buffer) {
  room_ = buffer;
  socket_->pipe().Put(raw);
  engine_.Run();
  socket_->pipe().DropInput();  // what comes behind the end of the conversation
  const std::size_t bytes = buffer.size() - room_.size();
  room_ = {};
  return bytes;
}

// Beast asks the pipe for more until it has a piece of a message, and we ask Beast.
void WebSocketStream::StartRead() {
  socket_->stream.async_read_some(asio::buffer(engine_.payload),
                                  [this](error_code error, std::size_t bytes) {
                                    if (!error) return OnMessage(bytes);
                                    if (phase_ != Phase::kOpen) return;  // our Close has taken over
                                    if (error == websocket::error::closed) {
                                      phase_ = Phase::kClosed;
                                    } else {  // Beast has written its Close into the outbox
                                      problem_ = "WebSocket: " + error.message();
                                      phase_ = Phase::kBroken;
                                    }
                                  });
}

void WebSocketStream::OnMessage(std::size_t bytes) {
  if (phase_ != Phase::kOpen) return;
  if (socket_->stream.got_text()) {
    problem_ = "a WebSocket message of text, where MQTT is binary";  // [MQTT-6.0.0-1]
    BeginClose(websocket::close_code::unknown_data);                 // 1003
    phase_ = Phase::kBroken;
    return;
  }
  assert(bytes <= room_.size() && "payload is never longer than what carried it");
  std::memcpy(room_.data(), engine_.payload.data(), bytes);
  room_ = room_.subspan(bytes);
  StartRead();
}

// A message for each packet, which the standard does not ask for; but Paho C 1.3.12 overlooks what
// stands behind the first packet of a message until something else comes.
bool WebSocketStream::FillOutbox(std::span<const iovec> pieces) {
  std::size_t taken = 0;  // of the first piece
  while (!pieces.empty() && sending_ < kMaxFrameBytes) {
    if (packet_left_ == 0) packet_left_ = PacketBytes(pieces, taken);
    const std::size_t size = std::min(packet_left_, kMaxFrameBytes);
    std::array<asio::const_buffer, kMaxPieces> frame;
    std::size_t count = 0;
    std::size_t filled = 0;
    while (!pieces.empty() && filled < size && count < kMaxPieces) {
      const iovec& piece = pieces.front();
      const std::size_t part = std::min(piece.iov_len - taken, size - filled);
      frame[count++] = asio::const_buffer(static_cast<const char*>(piece.iov_base) + taken, part);
      filled += part;
      taken += part;
      if (taken == piece.iov_len) {
        pieces = pieces.subspan(1);
        taken = 0;
      }
    }
    bool written = false;
    socket_->stream.async_write_some(true, std::span<const asio::const_buffer>(frame).first(count),
                                     [&](error_code error, std::size_t) { written = !error; });
    engine_.Run();
    if (!written) return false;
    packet_left_ -= filled;
    sending_ += filled;
  }
  return true;
}

LinkStream::Result WebSocketStream::Write(std::span<const iovec> pieces, Bytes&) {
  if (phase_ != Phase::kOpen) {  // nobody will hear it
    std::size_t size = 0;
    for (const iovec& piece : pieces) size += piece.iov_len;
    return {State::kDone, size};
  }
  if (sending_ == 0 && !FillOutbox(pieces)) return {State::kClosed};
  const State state = FlushOutbox();
  if (state != State::kDone) return {state};
  return {State::kDone, std::exchange(sending_, 0)};
}

bool WebSocketStream::HasBuffered() const {
  return phase_ == Phase::kBroken || phase_ == Phase::kClosed || !early_.empty() ||
         below_.HasBuffered();
}

void WebSocketStream::BeginClose(int code) {
  socket_->stream.async_close(static_cast<websocket::close_code>(code), [this](error_code) {
    if (phase_ == Phase::kClosing) phase_ = Phase::kClosed;
  });
}

LinkStream::State WebSocketStream::EndSending() {
  switch (phase_) {
    case Phase::kUpgrading:
      refusal_ = HttpRefusal(408, "no request to upgrade came in time");
      phase_ = Phase::kEnded;
      break;
    case Phase::kOpen:
      phase_ = Phase::kClosing;
      BeginClose(websocket::close_code::normal);
      engine_.Run();
      break;
    case Phase::kBroken:
      phase_ = Phase::kEnded;
      break;
    case Phase::kClosing:
    case Phase::kEnded:
    case Phase::kClosed:
      break;
  }
  const State state = FlushOutbox();
  if (state != State::kDone) return state;
  // Before the peer has said Close too, the connection stays as it is (RFC 6455 section 7.1.1).
  return phase_ == Phase::kClosing ? State::kDone : below_.EndSending();
}

}  // namespace mig
