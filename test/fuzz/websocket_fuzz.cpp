// A WebSocket as the relay reads it, from the first byte of the request: in pieces of the input's
// choosing, over a connection that takes what is written whenever the input says so. What comes out
// must not depend on the pieces.
#include "net/websocket_stream.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "test/fuzz/require.h"

namespace {

using namespace mig;
using fuzz::Require;

constexpr BytesView kRequest =
    "GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

// Gives `input` in pieces; `writable` says, again and again, how much a write may move.
class Below final : public LinkStream {
 public:
  Below(BytesView input, std::size_t piece, std::size_t writable)
      : input_(input), piece_(piece), writable_(writable) {}

  Result Read(std::span<char> buffer) override {
    if (input_.empty()) return {State::kClosed};
    const std::size_t size = std::min({piece_, buffer.size(), input_.size()});
    std::memcpy(buffer.data(), input_.data(), size);
    input_.remove_prefix(size);
    return {State::kDone, size, size == buffer.size()};
  }
  Result Write(std::span<const iovec> pieces, Bytes&) override {
    refuse_ = !refuse_ && writable_ < 16;
    if (refuse_) return {State::kWantWrite};
    const std::size_t size = std::min(pieces.front().iov_len, writable_ + 1);
    written += size;
    return {State::kDone, size};
  }
  bool HasBuffered() const override { return false; }
  State EndSending() override {
    ended = true;
    return State::kDone;
  }
  std::string problem() const override { return ""; }

  std::size_t written = 0;
  bool ended = false;

 private:
  BytesView input_;
  const std::size_t piece_;
  const std::size_t writable_;
  bool refuse_ = false;
};

struct Outcome {
  Bytes payload;
  bool broken = false;
  bool operator==(const Outcome&) const = default;
};

Outcome Run(BytesView input, std::size_t piece, std::size_t writable, bool answer) {
  static WebSocketEngine engine({"https://console.example.net"}, true);
  static std::array<char, 64 * 1024> buffer;
  Below below(input, piece, writable);
  Outcome outcome;
  WebSocketStream stream(below, engine, "");
  Bytes scratch;
  // Each round takes something in or moves something out.
  for (std::size_t rounds = 0;; ++rounds) {
    Require(rounds < 64 * (input.size() + 1024), "goes round in circles");
    const LinkStream::Result result = stream.Read(buffer);
    if (result.state == LinkStream::State::kWantRead) continue;
    if (result.state == LinkStream::State::kWantWrite) continue;
    if (result.state == LinkStream::State::kDone) {
      Require(result.bytes > 0 && result.bytes <= buffer.size(), "a read that is no read");
      outcome.payload.append(buffer.data(), result.bytes);
      if (!answer) continue;
      const iovec reply{buffer.data(), result.bytes};
      LinkStream::Result written{LinkStream::State::kWantWrite};
      while (written.state == LinkStream::State::kWantWrite) {
        written = stream.Write({&reply, 1}, scratch);
      }
      Require(written.bytes > 0 && written.bytes <= result.bytes, "a write that is no write");
      continue;
    }
    outcome.broken = result.state == LinkStream::State::kBroken;
    Require(stream.Read(buffer).state == result.state, "an end that is no end");
    Require(outcome.broken == !stream.problem().empty(), "nothing is said about what is wrong");
    break;
  }
  Require(outcome.payload.size() <= input.size(), "more payload than came");
  while (stream.EndSending() == LinkStream::State::kWantWrite) {
  }
  if (outcome.broken) Require(below.ended && below.written > 0, "a refusal without a word");
  return outcome;
}

}  // namespace

// The first byte: how large pieces are, and whether the request is ready made; the second: how much
// a write moves, and whether payload is answered.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 32 * 1024) return 0;
  Bytes input;
  if ((data[0] & 1) == 0) input = kRequest;
  input.append(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::size_t piece = 1 + (data[0] >> 1) * std::size_t{7};
  const Outcome whole = Run(input, input.size(), 1 << 20, false);
  const Outcome pieces = Run(input, piece, data[1] >> 1, (data[1] & 1) != 0);
  Require(whole == pieces, "what is heard depends on how it came");
  return 0;
}
