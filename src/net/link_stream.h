// One accepted connection's bytes as the relay wants them: MQTT, whatever carries it. Non-blocking:
// every call does what it can at once and says what it waits for. Carried by TCP or TLS
// (net/server_stream.h), or by WebSocket over either (net/websocket_stream.h).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <string>

#include "util/bytes.h"

namespace mig {

class LinkStream {
 public:
  enum class State {
    kDone,       // some bytes were moved, or what was asked for is complete
    kWantRead,   // again when the socket is readable
    kWantWrite,  // again when it is writable
    kBroken,     // the peer broke the rules (see problem()); EndSending tells it
    kClosed,     // the peer is gone, or broke TLS (see problem())
  };
  struct Result {
    State state;
    std::size_t bytes = 0;
    bool more = false;  // of a read: there may be more at once
  };

  virtual ~LinkStream() = default;

  virtual Result Read(std::span<char> buffer) = 0;
  // `scratch` is for putting pieces together. After kWantWrite the next call must begin with the
  // same bytes: some of them may be on their way, though they count only once all of them are.
  virtual Result Write(std::span<const iovec> pieces, Bytes& scratch) = 0;
  // True if there is something to read that the socket does not announce.
  virtual bool HasBuffered() const = 0;
  // Says goodbye, so that the peer knows that nothing was cut off; reading goes on. After
  // kWantWrite, again when the socket is writable.
  virtual State EndSending() = 0;
  // Why the peer is not served any longer; for logs.
  virtual std::string problem() const = 0;
};

}  // namespace mig
